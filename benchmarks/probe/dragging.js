/** What is seen and answered while a person drags a cell, and how soon nothing is outstanding after the release. */
(() => {
  const { onWrite, nextFrame, kernel, find } = window.benchTools;

  let stop = null;

  /** Count frames, those with a new preview, and the maps that the kernel sends, until `watched` is called. */
  const watch = (where) => {
    const { root, figure, canvas } = find(where);
    const seen = { frames: 0, moved: 0, previewed: 0, maps: 0 };
    let fresh = false;
    let moved = false;
    let running = true;
    let released = null;
    let idle = null;
    const stopWrites = onWrite(canvas, () => {
      fresh ||= figure.dataset.provenance === "preview";
    });
    const onMessage = (_, message) => {
      if (running && message.header.msg_type === "comm_msg" && message.buffers?.length) seen.maps++;
    };
    kernel().iopubMessage.connect(onMessage);
    const onMove = () => {
      moved = true;
    };
    addEventListener("pointermove", onMove, { capture: true });
    const start = performance.now();
    const count = () => {
      if (!running) return;
      seen.frames++;
      // A callback that is asked for in a frame runs in the next: what is fresh was written since the last count.
      if (fresh) seen.previewed++;
      if (moved) seen.moved++;
      fresh = moved = false;
      nextFrame(count);
    };
    nextFrame(count);
    const links = new MutationObserver(() => {
      if (released !== null && root.dataset.link === "idle") idle ??= performance.now();
    });
    links.observe(root, { attributes: true, attributeFilter: ["data-link"] });
    const onUp = () => {
      running = false;
      seen.seconds = (performance.now() - start) / 1000;
      released = performance.now();
      // What was answered by then has nothing to wait for; the handlers of this very event may still send.
      setTimeout(() => {
        if (root.dataset.link === "idle") idle ??= performance.now();
      });
    };
    addEventListener("pointerup", onUp, { capture: true, once: true });
    stop = () => {
      stopWrites();
      links.disconnect();
      removeEventListener("pointermove", onMove, { capture: true });
      kernel().iopubMessage.disconnect(onMessage);
    };
    window.bench.watched = async () => {
      while (idle === null) await window.benchTools.pause(1);
      stop();
      return { ...seen, idleAfter: idle - released };
    };
  };

  Object.assign(window.bench, { watch });
})();
