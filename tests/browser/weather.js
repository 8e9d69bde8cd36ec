// Bad weather between a page and its kernel: what the tests make happen to JupyterLab's websockets. Runs before any script.
{
  const Native = WebSocket;
  const open = new Set();
  const text = (data) => (typeof data === "string" ? data : new TextDecoder("latin1").decode(data));
  const loses = (way, data) => weather[way] !== null && new RegExp(weather[way]).test(text(data));

  /** Regular expressions for messages: `once` of each way is lost once, `always` until it is null again. */
  const weather = {
    up: null,
    down: null,
    always: null,
    lost: 0,
    /** Close every kernel's websocket, and let none be opened until `mend`. */
    break() {
      this.broken = true;
      for (const socket of open) socket.close();
    },
    mend() {
      this.broken = false;
    },
    broken: false,
  };
  window.weather = weather;

  window.WebSocket = class extends Native {
    constructor(url, protocols) {
      const kernel = String(url).includes("/channels");
      if (kernel && weather.broken) {
        // biome-ignore lint/correctness/noConstructorReturn: a websocket that never opens, without an error in the console
        return refused(url);
      }
      super(url, protocols);
      if (!kernel) return;
      open.add(this);
      this.addEventListener("close", () => open.delete(this));
    }

    send(data) {
      if (loses("up", data)) {
        weather.up = null;
        weather.lost++;
      } else super.send(data);
    }

    set onmessage(handler) {
      super.onmessage = (event) => {
        if (loses("always", event.data)) weather.lost++;
        else if (loses("down", event.data)) {
          weather.down = null;
          weather.lost++;
        } else handler.call(this, event);
      };
    }
  };

  function refused(url) {
    const socket = { url, readyState: Native.CONNECTING, protocol: "", binaryType: "arraybuffer", close() {}, send() {} };
    setTimeout(() => socket.onclose?.(new CloseEvent("close", { code: 1006 })), 20);
    return socket;
  }
}
