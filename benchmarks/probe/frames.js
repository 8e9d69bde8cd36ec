/**
 * Injected into every page before anything else runs: notes when canvases are written, in which frame, and how long the
 * frames' callbacks take. Times are milliseconds of performance.now().
 */
(() => {
  /** Listeners by canvas. */
  const listeners = new WeakMap();
  /** The frame's callback that runs now: when it began and ended, and the frame's own time. */
  let callback = null;

  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...given) {
    put.apply(this, given);
    const told = listeners.get(this.canvas);
    if (!told?.size) return;
    const time = performance.now();
    const write = { time, callback, shown: callback ? shown() : frame().then(shown) };
    for (const listener of [...told]) listener(write);
  };

  const nextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) =>
    nextFrame((time) => {
      const outer = callback;
      const mine = { time, start: performance.now(), end: 0 };
      callback = mine;
      try {
        work(time);
      } finally {
        mine.end = performance.now();
        callback = outer;
      }
    });

  /**
   * Resolves with the time at which the frame that is being made was handed over to be shown: called in a frame's
   * callback, a message that is posted there arrives once style, layout and painting are done.
   */
  const shown = () =>
    new Promise((done) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close();
        done(performance.now());
      };
      channel.port2.postMessage(0);
    });

  /** Call back at each write of a canvas with {time, callback, shown}; returns what stops it. */
  const onWrite = (canvas, listener) => {
    const told = listeners.get(canvas) ?? listeners.set(canvas, new Set()).get(canvas);
    told.add(listener);
    return () => told.delete(listener);
  };

  /** Preact renders in a microtask that the handler requested; resolves with the time after it. */
  const rendered = async () => {
    for (let n = 0; n < 4; n++) await Promise.resolve();
    return performance.now();
  };

  const pause = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));
  const frame = () => new Promise((done) => nextFrame(done));
  const kernel = () => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;

  /** Resolves once a condition is true; it is checked in every frame. */
  const until = async (condition) => {
    for (;;) {
      const found = condition();
      if (found) return found;
      await frame();
    }
  };

  /** The parts of one filter's card. */
  const find = ({ lens = 0, filter = 0, tap = 0 }) => {
    const root = document.querySelectorAll(".convlens")[lens];
    const card = root.querySelector(`[data-card="${filter}"]`);
    const figure = card.querySelector("figure[data-uid]");
    return {
      root,
      card,
      cell: card.querySelectorAll("[data-at]")[tap],
      figure,
      canvas: figure.querySelector("canvas"),
    };
  };

  /** What a frame takes undisturbed: the display's own rate, as the median of some. */
  const frameTime = async ({ count = 60 } = {}) => {
    const times = [];
    for (let n = 0; n <= count; n++) times.push(await frame());
    const steps = times.slice(1).map((time, i) => time - times[i]);
    return steps.sort((a, b) => a - b)[steps.length >> 1];
  };

  window.bench = { frameTime };
  window.benchTools = { onWrite, shown, rendered, nextFrame, frame, pause, until, kernel, find };
})();
