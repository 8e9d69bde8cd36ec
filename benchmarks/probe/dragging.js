/** What is seen and answered while a person drags a cell, and how soon nothing is outstanding after the release. */
(() => {
  const { onWrite, rendered, frame, shown, pause, kernel, find } = window.benchTools;

  let watched = null;

  /**
   * Move the pointer that is pressed on a cell by a pixel, `stroke` up and as many down again, once before every frame: as
   * often as a browser delivers moves. Counts frames, those that brought a new preview, and the maps that the kernel
   * sent.
   */
  const drag = async ({ seconds, stroke, x, y, ...where }) => {
    const { root, cell, figure, canvas } = find(where);
    const seen = { frames: 0, previewed: 0, maps: 0 };
    let fresh = false;
    const stopWrites = onWrite(canvas, async () => {
      // The canvas is written before the text beside it.
      await rendered();
      fresh ||= figure.dataset.provenance === "preview";
    });
    const onMessage = (_, message) => {
      if (message.header.msg_type === "comm_msg" && message.buffers?.length) seen.maps++;
    };
    kernel().iopubMessage.connect(onMessage);
    const start = performance.now();
    for (let n = 1; performance.now() - start < 1000 * seconds; n++) {
      const up = stroke - Math.abs(stroke - (n % (2 * stroke)));
      // Between two frames, where a real move would come; asked for inside a frame, the lens would paint in the next.
      const move = {
        pointerId: 1,
        pointerType: "mouse",
        buttons: 1,
        clientX: x,
        clientY: y - up,
        bubbles: true,
      };
      cell.dispatchEvent(new PointerEvent("pointermove", move));
      await frame();
      await shown();
      seen.frames++;
      if (fresh) seen.previewed++;
      fresh = false;
    }
    seen.seconds = (performance.now() - start) / 1000;
    stopWrites();
    kernel().iopubMessage.disconnect(onMessage);
    watched = release(root);
    return seen;
  };

  /** Resolves with the time from the release, which is still to come, until no request is unanswered. */
  const release = (root) =>
    new Promise((done) => {
      const onUp = async () => {
        const released = performance.now();
        // The handlers of this very event may still send.
        await pause(0);
        const idle = () => root.dataset.link === "idle";
        const finish = () => done(performance.now() - released);
        if (idle()) return finish();
        const links = new MutationObserver(() => {
          if (!idle()) return;
          links.disconnect();
          finish();
        });
        links.observe(root, { attributes: true, attributeFilter: ["data-link"] });
      };
      addEventListener("pointerup", onUp, { capture: true, once: true });
    });

  /** After the release: how long requests were still unanswered, in ms. */
  const idleAfter = () => watched;

  Object.assign(window.bench, { drag, idleAfter });
})();
