/** Edits made by a key, one after another, and when their pixels were on screen. */
(() => {
  const { onWrite, rendered, nextFrame, frame, pause, until, find, kernel } = window.benchTools;

  /** The writes of a canvas from now on, each with where the map came from when it was written. */
  const watchWrites = (canvas, figure) => {
    const waiting = [];
    const stop = onWrite(canvas, async (write) => {
      // The canvas is written before the text beside it.
      await rendered();
      const told = { ...write, provenance: figure.dataset.provenance };
      for (const one of [...waiting]) {
        if (!one.wanted(told)) continue;
        waiting.splice(waiting.indexOf(one), 1);
        one.done(told);
      }
    });
    /** Resolves with the next matching write. */
    const next = (wanted) => new Promise((done) => void waiting.push({ wanted, done }));
    return { next, stop };
  };

  /** A key that is held (`repeat`) makes steps of one gesture, which are merged while they wait. */
  const press = (cell, number, repeat = false) => {
    const key = number % 2 ? "-" : "+";
    cell.dispatchEvent(new KeyboardEvent("keydown", { key, repeat, bubbles: true, cancelable: true }));
  };

  /**
   * Step one cell of a kernel up and down by the keyboard, `gap` ms apart, but no sooner than `rest` ms after the last one is
   * done. For each edit:
   * - `pixels`: from the key until the canvas is written, without the waiting where a frame's callback does it;
   * - `script`: all of the page's work on it: the key's `handler`, the `rendering` after it, and `painting` where a frame's
   *   callback does it;
   * - `paint`: from the key until the frame with the new pixels is passed on to be shown;
   * - `late`: frames that were shown between the key and that one;
   * - `answer`: from the key until the answer was in the page; `keras`: until the frame with Keras's map was shown.
   */
  const edits = async ({ count, gap, rest = 0, keras = true, ...where }) => {
    const { cell, figure, canvas } = find(where);
    figure.scrollIntoView({ block: "center" });
    await frame();
    let answered = 0;
    const onMessage = (_, message) => {
      if (message.header.msg_type === "comm_msg" && message.buffers?.length) answered = performance.now();
    };
    kernel().iopubMessage.connect(onMessage);
    const writes = watchWrites(canvas, figure);
    const results = [];
    try {
      for (let number = 0; number < count; number++) {
        cell.focus({ preventScroll: true });
        // Not an old map that is drawn as out of date.
        const first = writes.next(({ provenance }) => provenance === "preview" || provenance === "keras");
        const final = writes.next(({ provenance }) => provenance === "keras");
        const start = performance.now();
        const frames = [];
        const count = (time) => {
          frames.push(time);
          if (count.on) nextFrame(count);
        };
        count.on = true;
        nextFrame(count);
        press(cell, number, !keras && number > 0);
        const handler = performance.now() - start;
        const rendering = (await rendered()) - start - handler;
        const { time, callback, shown } = await first;
        const before = frames.filter((frame) => frame < (callback?.time ?? time));
        const paint = (await shown) - start;
        count.on = false;
        const painting = callback ? callback.end - callback.start : 0;
        const result = {
          pixels: callback ? handler + rendering + time - callback.start : time - start,
          handler,
          rendering,
          painting,
          script: handler + rendering + painting,
          paint,
          late: before.length,
        };
        if (keras) {
          result.keras = (await (await final).shown) - start;
          result.answer = answered - start;
        }
        results.push(result);
        // At each phase of a frame in rotation: a gap of whole frames would make all edits wait alike.
        await pause(Math.max(rest, start + gap - performance.now()) + ((5 * number) % 17));
      }
    } finally {
      writes.stop();
      kernel().iopubMessage.disconnect(onMessage);
    }
    return results;
  };

  /**
   * Edit until a preview comes before Keras's map: then the page has what it predicts from. Returns how many edits it
   * took.
   */
  const predicted = async (where) => {
    const { root, cell, figure, canvas } = find(where);
    figure.scrollIntoView({ block: "center" });
    await frame();
    const writes = watchWrites(canvas, figure);
    let number = 0;
    for (let provenance = ""; provenance !== "preview"; number++) {
      const first = writes.next(({ provenance }) => provenance === "preview" || provenance === "keras");
      cell.focus({ preventScroll: true });
      press(cell, number);
      ({ provenance } = await first);
      await until(() => root.dataset.link === "idle" && figure.dataset.provenance === "keras");
    }
    writes.stop();
    return number;
  };

  /**
   * One edit; how many levels the preview's pixels and those of Keras's map are apart at most. `table` is the colour map's red
   * of each level, which never falls: Matplotlib's grey leaves some values out and has others twice.
   */
  const compare = async ({ number = 0, table, ...where }) => {
    const { cell, figure, canvas } = find(where);
    const read = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const writes = watchWrites(canvas, figure);
    const first = writes.next(({ provenance }) => provenance === "preview");
    const final = writes.next(({ provenance }) => provenance === "keras");
    cell.focus({ preventScroll: true });
    press(cell, number);
    await first;
    const preview = read();
    await (await final).shown;
    const keras = read();
    writes.stop();
    let most = 0;
    for (let i = 0; i < keras.length; i += 4) {
      const [low, high] = [Math.min(keras[i], preview[i]), Math.max(keras[i], preview[i])];
      if (low < high) most = Math.max(most, table.indexOf(high) - table.lastIndexOf(low));
    }
    return { difference: most, pixels: keras.length / 4 };
  };

  /**
   * Edits as fast as the kernel answers, a few waiting at a time, each a gesture of its own, so that none is merged into
   * another.
   */
  const manyEdits = async ({ count, waiting = 8, ...where }) => {
    const { root, cell } = find(where);
    let answers = 0;
    const onMessage = (_, message) => {
      if (message.header.msg_type === "comm_msg" && message.content.data?.method === "custom") answers++;
    };
    kernel().iopubMessage.connect(onMessage);
    try {
      cell.focus({ preventScroll: true });
      for (let number = 0; number < count; number++) {
        press(cell, number);
        cell.dispatchEvent(new KeyboardEvent("keyup", { key: "+", bubbles: true }));
        while (number - answers >= waiting) await pause(0);
      }
      await until(() => root.dataset.link === "idle");
    } finally {
      kernel().iopubMessage.disconnect(onMessage);
    }
    return answers;
  };

  Object.assign(window.bench, { edits, predicted, compare, manyEdits });
})();
