/** Bytes and numbers as they are sent between browser and Python. */

/** Anything a host may pass where bytes are meant (docs/hosts.md). */
export type Bytes = DataView | Uint8Array | ArrayBuffer;

/** A number that JSON cannot carry is sent as the word that Number() reads. */
export type Num = number | "NaN" | "Infinity" | "-Infinity";

/** A message's JSON part and its binary buffers, as a host's `send` takes them. */
export interface Packet {
  content: Record<string, unknown>;
  buffers: ArrayBuffer[];
}

export function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || isForeignBuffer(value);
}

/** An ArrayBuffer made in another frame is not an `instanceof` this frame's. */
function isForeignBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

/** The bytes themselves, whatever part of whatever buffer a host passes (a view, not a copy). */
export function bytesOf(value: Bytes): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

const urls = new WeakMap<Bytes, string>();

/** A PNG file as an address for an image. */
export function pngUrl(png: Bytes): string {
  let url = urls.get(png);
  if (url === undefined) {
    url = `data:image/png;base64,${btoa(Array.from(bytesOf(png), (byte) => String.fromCharCode(byte)).join(""))}`;
    urls.set(png, url);
  }
  return url;
}

/** An exactly sized buffer: some hosts send or save the whole underlying buffer of a view. */
export function exactBuffer(value: Bytes): ArrayBuffer {
  const view = bytesOf(value);
  const whole = view.byteLength === view.buffer.byteLength;
  return (whole ? view.buffer : view.slice().buffer) as ArrayBuffer;
}

/** Little-endian float32 numbers; a copy, since hosts align views as they please. */
export function floatsOf(value: Bytes): Float32Array {
  const view = bytesOf(value);
  if (view.byteLength % 4 !== 0) throw new RangeError(`${view.byteLength} bytes are not a float32 array`);
  return new Float32Array(view.slice().buffer);
}

/** A number that JSON cannot hold is written as Python's `float()` reads it. */
export function packNumber(value: number): Num {
  return Number.isFinite(value) ? value : (String(value) as Num);
}

/** The reverse of `packNumber`; anything that is not a number is refused. */
export function unpackNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  throw new TypeError(`expected a number, got ${JSON.stringify(value)}`);
}

/** Take the bytes out of a message and leave `{"$buffer": i}` in their places. */
export function pack(content: object): Packet {
  const buffers: ArrayBuffer[] = [];
  const walk = (value: unknown): unknown => {
    if (typeof value === "number") return packNumber(value);
    if (isBytes(value)) return { $buffer: buffers.push(exactBuffer(value)) - 1 };
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]));
  };
  return { content: walk(content) as Record<string, unknown>, buffers };
}

/** Put the bytes back where `{"$buffer": i}` is. */
export function unpack(content: unknown, buffers: readonly Bytes[]): unknown {
  if (Array.isArray(content)) return content.map((item) => unpack(item, buffers));
  if (typeof content !== "object" || content === null || isBytes(content)) return content;
  const entries = Object.entries(content);
  if (entries.length === 1 && entries[0]?.[0] === "$buffer") {
    const bytes = buffers[entries[0][1] as number];
    if (bytes === undefined) throw new RangeError(`buffer ${String(entries[0][1])} is missing`);
    return bytes;
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, unpack(item, buffers)]));
}
