/** A saved lens in a page: its state unpacked, and a host that has no Python behind it. */

/** Bytes of base64 text of a zlib stream. */
export async function unpack(text) {
  const packed = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The state of a lens: the length of its JSON in 4 bytes, the JSON, and the buffers that it names by offset and length. */
export function readState(saved) {
  const head = new DataView(saved.buffer).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(saved.subarray(4, 4 + head)), (_key, value) =>
    value?.$at ? saved.slice(4 + head + value.$at[0], 4 + head + value.$at[0] + value.$at[1]) : value,
  );
}

/** What a widget gets as its model: what is set stays in the page, and sending fails. */
export function modelOf(state) {
  const listeners = new Map();
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const callback of listeners.get(`change:${name}`) ?? []) callback();
    },
    on: (name, callback) => listeners.set(name, [...(listeners.get(name) ?? []), callback]),
    off: (name, callback) =>
      listeners.set(
        name,
        (listeners.get(name) ?? []).filter((one) => one !== callback),
      ),
    save_changes() {},
    send() {
      throw new Error("This page has no Python behind it.");
    },
  };
}

/** Show a lens in an element and return the model that its widget reads. */
export function mount(widget, state, el) {
  const model = modelOf(state);
  widget.initialize({ model });
  widget.render({ model, el });
  return model;
}
