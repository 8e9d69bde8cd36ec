/**
 * Injected into JupyterLab's page before anything runs: notes when canvases are written and how long frames' callbacks
 * take, and does to the lens what a person does. Times are milliseconds of performance.now().
 */
(() => {
  const writes = new WeakMap();
  let callback = null;

  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...given) {
    put.apply(this, given);
    const listeners = writes.get(this.canvas);
    if (listeners) for (const listener of [...listeners]) listener(callback);
  };

  const nextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) =>
    nextFrame((time) => {
      const outer = callback;
      callback = { start: performance.now(), end: 0 };
      const mine = callback;
      try {
        work(time);
      } finally {
        mine.end = performance.now();
        callback = outer;
      }
    });

  /** Call back at each write of a canvas; returns what stops it. */
  const onWrite = (canvas, listener) => {
    const listeners = writes.get(canvas) ?? writes.set(canvas, new Set()).get(canvas);
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  /** Resolves with the time once the frame that is being made is on screen. */
  const painted = () =>
    new Promise((done) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done(performance.now());
      nextFrame(() => channel.port2.postMessage(0));
    });

  const pause = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));
  const frame = () => new Promise((done) => nextFrame(done));
  const kernel = () => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;

  /** Resolves once the map is Keras's and drawn; two frames without a write mean that nothing had to be redrawn. */
  const kerasDrawn = async (figure, canvas) => {
    if (figure.dataset.provenance !== "keras") {
      await new Promise((done) => {
        const observer = new MutationObserver(() => {
          if (figure.dataset.provenance !== "keras") return;
          observer.disconnect();
          done();
        });
        observer.observe(figure, { attributes: true, attributeFilter: ["data-provenance"] });
      });
    }
    let stop;
    const write = new Promise((done) => {
      stop = onWrite(canvas, done);
    });
    await Promise.race([write, frame().then(frame)]);
    stop();
    return performance.now();
  };

  const find = (lens, filter) => {
    const root = document.querySelectorAll(".convlens")[lens];
    const card = root.querySelector(`[data-card="${filter}"]`);
    const figure = card.querySelector("figure[data-uid]");
    return { root, cell: card.querySelector("[data-at]"), figure, canvas: figure.querySelector("canvas") };
  };

  /** Step the first cell of a kernel up and down by the keyboard. work: script alone; paint and keras: since the key. */
  const edits = async ({ lens = 0, filter = 0, count, gap, keras = true }) => {
    const { cell, figure, canvas } = find(lens, filter);
    figure.scrollIntoView({ block: "center" });
    await frame();
    const results = [];
    for (let number = 0; number < count; number++) {
      cell.focus({ preventScroll: true });
      let stop;
      const write = new Promise((done) => {
        stop = onWrite(canvas, done);
      });
      const start = performance.now();
      const key = number % 2 ? "-" : "+";
      cell.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      const handled = performance.now() - start;
      const during = await write;
      stop();
      const channelTime = await painted();
      const result = { work: handled + (during ? during.end - during.start : 0), paint: channelTime - start };
      if (keras) result.keras = (await kerasDrawn(figure, canvas)) - start;
      results.push(result);
      await pause(start + gap - performance.now());
    }
    return results;
  };

  /** Send a small message to the kernel's echo, which answers with as many bytes as it was opened with. */
  const echo = async ({ count, gap, bytes }) => {
    const comm = kernel().createComm("bench_echo");
    let arrived = () => {};
    comm.onMsg = () => arrived();
    await comm.open({ bytes }).done;
    const times = [];
    for (let number = 0; number < count; number++) {
      const start = performance.now();
      await new Promise((done, fail) => {
        const overdue = setTimeout(() => fail(new Error(`echo ${number} was not answered within 20 s`)), 20_000);
        arrived = () => {
          clearTimeout(overdue);
          done();
        };
        comm.send({ number });
      });
      times.push(performance.now() - start);
      await pause(start + gap - performance.now());
    }
    await comm.close().done;
    return times;
  };

  /** Count frames, writes of a map, and the kernel's answers with bytes, until `stop` is called. */
  const watch = ({ lens = 0, filter = 0 }) => {
    const { canvas } = find(lens, filter);
    const seen = { frames: 0, written: 0, answers: 0, last: 0 };
    let fresh = false;
    let running = true;
    const stopWrites = onWrite(canvas, () => {
      fresh = true;
    });
    const onMessage = (_, message) => {
      if (message.header.msg_type !== "comm_msg" || !message.buffers?.length) return;
      seen.answers++;
      seen.last = performance.now();
    };
    kernel().iopubMessage.connect(onMessage);
    const count = () => {
      if (!running) return;
      seen.frames++;
      // A callback that is asked for in a frame runs in the next: what is fresh was written since the last count.
      if (fresh) seen.written++;
      fresh = false;
      nextFrame(count);
    };
    nextFrame(count);
    const start = performance.now();
    window.bench.stop = () => {
      running = false;
      stopWrites();
      kernel().iopubMessage.disconnect(onMessage);
      return { ...seen, seconds: (performance.now() - start) / 1000 };
    };
  };

  /** Time from a moment in the page until nothing is outstanding. */
  const untilIdle = async ({ lens = 0 }) => {
    const { root } = find(lens, 0);
    const start = performance.now();
    while (root.dataset.link !== "idle") await frame();
    return performance.now() - start;
  };

  /** Move an ipywidgets slider by one step and wait for the picture that `interact` draws. */
  const slider = async ({ count, gap }) => {
    const handle = document.querySelector(".widget-slider .noUi-handle, .jupyter-widgets .noUi-handle");
    const output = handle.closest(".jp-OutputArea");
    const results = [];
    for (let number = 0; number < count; number++) {
      const before = output.querySelector("img")?.src;
      const start = performance.now();
      const key = number % 2 ? "ArrowLeft" : "ArrowRight";
      handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      let picture;
      while ((picture = output.querySelector("img"))?.src === before || !picture) await frame();
      await picture.decode();
      const pixels = performance.now() - start;
      results.push({ pixels, paint: (await painted()) - start });
      await pause(start + gap - performance.now());
    }
    return results;
  };

  /** Run the notebook's last cell and wait until image and maps of the lens in it are drawn. */
  const firstSight = async ({ maps }) => {
    const start = performance.now();
    const panel = window.jupyterapp.shell.currentWidget;
    panel.content.activeCellIndex = panel.content.widgets.length - 1;
    window.jupyterapp.commands.execute("notebook:run-cell");
    for (;;) {
      await frame();
      const drawn = [...document.querySelectorAll(".convlens figure[data-uid]")].filter(
        (figure) => ["preview", "keras"].includes(figure.dataset.provenance) && figure.querySelector("canvas")?.width > 300,
      );
      if (drawn.length === maps) break;
    }
    const root = document.querySelector(".convlens");
    return { ms: (await painted()) - start, status: root.dataset.status };
  };

  window.bench = { edits, echo, watch, untilIdle, slider, firstSight };
})();
