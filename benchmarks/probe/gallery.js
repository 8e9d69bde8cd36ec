/** First sight of a lens, and of a layer's filters; scrolling through them. */
(() => {
  const { shown, nextFrame, frame, until } = window.benchTools;
  const DRAWN = ["preview", "keras"];

  /** Resolves when the frame in progress, or the next, has been handed over to be shown. */
  const painted = () => new Promise((done) => nextFrame(() => shown().then(done)));

  const mapsDrawn = () =>
    [...document.querySelectorAll(".convlens figure[data-uid]")].filter(
      (figure) => DRAWN.includes(figure.dataset.provenance) && figure.querySelector("canvas")?.width !== 300,
    );
  const imageDrawn = () => document.querySelector(".convlens figure.cl-image canvas")?.width !== 300;

  /** Run the notebook's last cell and wait until image and maps of the lens in it are on screen. */
  const firstSight = async ({ maps }) => {
    const start = performance.now();
    const panel = window.jupyterapp.shell.currentWidget;
    panel.content.activeCellIndex = panel.content.widgets.length - 1;
    window.jupyterapp.commands.execute("notebook:run-cell");
    await until(() => imageDrawn() && mapsDrawn().length === maps);
    const ms = (await painted()) - start;
    const { status } = document.querySelector(".convlens").dataset;
    await until(() => mapsDrawn().every((figure) => figure.dataset.provenance === "keras"));
    return { ms, status, keras: (await painted()) - start };
  };

  /** In a page of its own: from the beginning of its loading until image and maps are on screen. */
  const pageSight = async ({ maps }) => {
    await until(() => imageDrawn() && mapsDrawn().length === maps);
    const ms = await painted();
    const first = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null;
    return { ms, first };
  };

  /** The places of the gallery that are on screen, with whether their maps are drawn. */
  const places = (grid) => {
    const box = grid.getBoundingClientRect();
    return [...grid.querySelectorAll(".cl-place")].filter((place) => {
      const { top, bottom } = place.getBoundingClientRect();
      return bottom > box.top && top < box.bottom;
    });
  };
  const isDrawn = (place) => DRAWN.includes(place.querySelector(".cl-thumb")?.dataset.provenance);

  /** Choose a layer in the lens and wait until its first screen of filters is there, drawn from Keras's maps. */
  const openLayer = async ({ path, filters }) => {
    const root = document.querySelector(".convlens");
    const bar = [...root.querySelectorAll(".cl-bars g")].find(
      (one) => one.querySelector("title").textContent.split("\n")[0] === path,
    );
    const start = performance.now();
    bar.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    const onScreen = await until(() => {
      const grid = root.querySelector(".cl-grid");
      const first = grid?.querySelector(".cl-place");
      if (first?.getAttribute("aria-setsize") !== String(filters)) return null;
      const seen = places(grid);
      return seen.length > 0 && seen.every(isDrawn) && seen;
    });
    return { ms: (await painted()) - start, places: onScreen.length };
  };

  /** Scroll the gallery at an even pace; frames for which the display had no new picture are `dropped`. */
  const scroll = async ({ seconds, perSecond, frameTime }) => {
    const grid = document.querySelector(".convlens .cl-grid");
    grid.scrollIntoView({ block: "center" });
    grid.scrollTop = 0;
    await frame();
    const pace = Math.min(perSecond, (grid.scrollHeight - grid.clientHeight) / seconds);
    const begin = await frame();
    let last = begin;
    const seen = { frames: 0, dropped: 0, placesSeen: 0, placesEmpty: 0 };
    while (last - begin < seconds * 1000) {
      grid.scrollTop = ((last - begin) / 1000) * pace;
      const now = await frame();
      seen.frames++;
      seen.dropped += Math.max(0, Math.round((now - last) / frameTime) - 1);
      const onScreen = places(grid);
      seen.placesSeen += onScreen.length;
      seen.placesEmpty += onScreen.filter((place) => !isDrawn(place)).length;
      last = now;
    }
    return { ...seen, scrolled: grid.scrollTop, most: grid.scrollHeight - grid.clientHeight };
  };

  Object.assign(window.bench, { firstSight, pageSight, openLayer, scroll });
})();
