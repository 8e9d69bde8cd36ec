/** What the lens is compared with: a bare message, canvas and pipeline, the tutorial, TensorFlow.js. */
(() => {
  const { shown, nextFrame, frame, pause, until, kernel } = window.benchTools;

  /** The kernel's echo or pipeline, which answers a small message with as many bytes as it was opened with. */
  const openComm = (target, bytes) => {
    const comm = kernel().createComm(target);
    let arrived = () => {};
    comm.onMsg = () => arrived();
    comm.open({ bytes });
    /** Send a message; resolves with its answer. */
    const ask = () => {
      const answer = new Promise((done) => {
        arrived = done;
      });
      comm.send({});
      return answer;
    };
    return { ask, close: () => comm.close() };
  };

  /** Send messages to the echo, `gap` ms apart; how long each took. */
  const echo = async ({ count, gap, bytes }) => {
    const { ask, close } = openComm("bench_echo", bytes);
    const times = [];
    for (let number = 0; number < count; number++) {
      const start = performance.now();
      await ask();
      times.push(performance.now() - start);
      await pause(start + gap - performance.now());
    }
    close();
    return times;
  };

  /**
   * A canvas on top of the first map, as large and with as many pixels, and a function that fills it with one colour.
   */
  const bareCanvas = () => {
    const map = document.querySelector(".convlens figure[data-uid] canvas");
    map.scrollIntoView({ block: "center" });
    const { left, top, width, height } = map.getBoundingClientRect();
    const canvas = Object.assign(document.createElement("canvas"), { width: map.width, height: map.height });
    const place = { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` };
    Object.assign(canvas.style, { position: "fixed", ...place });
    document.body.append(canvas);
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    let number = 0;
    const write = () => {
      pixels.fill(0xff000000 | ((number++ % 256) * 0x010101));
      context.putImageData(image, 0, 0);
    };
    return { write, remove: () => canvas.remove() };
  };

  /**
   * What every page must do: write a canvas, send a message to the pipeline, write the canvas again once it is
   * answered. `paint` and `answered` are the times at which the frames with either were handed over to be shown.
   */
  const bare = async ({ count, gap, bytes }) => {
    const { ask, close } = openComm("bench_pipeline", bytes);
    const { write, remove } = bareCanvas();
    const painted = async () => {
      await frame();
      await shown();
      return performance.now();
    };
    const results = [];
    for (let number = 0; number < count; number++) {
      const start = performance.now();
      write();
      const first = painted();
      await ask();
      write();
      const answered = (await painted()) - start;
      results.push({ paint: (await first) - start, answered });
      // At each phase of a frame in rotation, as the edits are.
      await pause(start + gap - performance.now() + ((5 * number) % 17));
    }
    close();
    remove();
    return results;
  };

  /** Write a canvas before every frame, while one message to a target follows another; counts frames and answers. */
  const bareDrag = async ({ target, seconds, bytes }) => {
    const { ask, close } = openComm(target, bytes);
    const { write, remove } = bareCanvas();
    const seen = { frames: 0, maps: 0 };
    const start = performance.now();
    const on = () => performance.now() - start < 1000 * seconds;
    const asking = (async () => {
      for (; on(); seen.maps++) await ask();
    })();
    for (; on(); seen.frames++) {
      write();
      await frame();
      await shown();
    }
    seen.seconds = (performance.now() - start) / 1000;
    await asking;
    close();
    remove();
    return seen;
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
      const picture = await until(() => {
        const found = output.querySelector("img");
        return found && found.src !== before && found;
      });
      await picture.decode();
      const pixels = performance.now() - start;
      const paint = await new Promise((done) => nextFrame(() => shown().then(done)));
      results.push({ pixels, paint: paint - start });
      await pause(start + gap - performance.now());
    }
    return results;
  };

  /**
   * TensorFlow.js on its WebAssembly back end: change a tap, convolve, activate, bring into range, write the canvas; once by
   * its `own` means to the end, and once with what follows the activation written by `hand` in JavaScript. `simd` says
   * whether the processor's vector instructions are used.
   */
  const tensorflow = async ({ rows, cols, side, count, warmUp, paths }) => {
    const { tf } = window;
    tf.wasm.setWasmPaths(paths);
    await tf.setBackend("wasm");
    await tf.ready();
    const [height, width] = [rows - side + 1, cols - side + 1];
    const picture = Float32Array.from({ length: rows * cols }, (_, i) => ((i * 7919) % 256) / 255);
    const x = tf.tensor4d(picture, [1, rows, cols, 1]);
    const taps = Float32Array.from({ length: side * side }, (_, i) => (i % side < side / 2 ? -1 : 1));
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const grey = Uint32Array.from({ length: 256 }, (_, i) => (255 << 24) | (i << 16) | (i << 8) | i);
    const activated = () => tf.relu(tf.conv2d(x, tf.tensor4d(taps, [side, side, 1, 1]), 1, "valid"));
    const own = async () => {
      const shown = tf.tidy(() => {
        const map = tf.reshape(activated(), [height, width]);
        const low = tf.min(map);
        return tf.clipByValue(tf.div(tf.sub(map, low), tf.sub(tf.max(map), low)), 0, 1);
      });
      await tf.browser.toPixels(shown, canvas);
      shown.dispose();
    };
    const hand = async () => {
      const map = tf.tidy(activated);
      const values = map.dataSync();
      map.dispose();
      let [low, high] = [Infinity, -Infinity];
      for (let i = 0; i < values.length; i++) {
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
      }
      const scale = high > low ? 256 / (high - low) : 0;
      for (let i = 0; i < values.length; i++) pixels[i] = grey[Math.min(255, (values[i] - low) * scale) | 0];
      context.putImageData(image, 0, 0);
    };
    const timed = async (work) => {
      const times = [];
      for (let number = 0; number < count + warmUp; number++) {
        await frame();
        const start = performance.now();
        taps[0] += number % 2 ? -0.1 : 0.1;
        await work();
        if (number >= warmUp) times.push(performance.now() - start);
      }
      return times;
    };
    const result = { own: await timed(own), hand: await timed(hand) };
    x.dispose();
    return { ...result, simd: await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"), backend: tf.getBackend() };
  };

  Object.assign(window.bench, { echo, bare, bareDrag, slider, tensorflow });
})();
