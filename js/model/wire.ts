/** Bytes and numbers as they cross the wire, and the check of everything that comes in. */
import type {
  Answer,
  DiagnosticsRecord,
  FieldRecord,
  Message,
  OutputsMessage,
  PictureRecord,
  PredictionsMessage,
  Request,
} from "./messages.ts";
import type { Bytes, FilterRecord, MapRecord, Num } from "./types.ts";

/** A request as it is sent: numbered, and named after the front end that sends it. */
export type Numbered = Request & { client: string; seq: number };

/** A message's JSON part and its binary buffers, as a host's `send` takes them. */
export interface Packet {
  content: Record<string, unknown>;
  buffers: ArrayBuffer[];
}

function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || isForeignBuffer(value);
}

/** An ArrayBuffer made in another frame is no `instanceof` this frame's. */
function isForeignBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

/** The bytes themselves, whatever part of whatever buffer a host hands over (a view, not a copy). */
export function bytesOf(value: Bytes): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
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
  if (view.byteLength % 4 !== 0) throw new RangeError(`${view.byteLength} bytes are no float32 array`);
  return new Float32Array(view.slice().buffer);
}

/** A number that JSON cannot hold is written as Python's `float()` reads it. */
export function packNumber(value: number): Num {
  return Number.isFinite(value) ? value : (String(value) as Num);
}

/** The reverse of `packNumber`; anything that is no number is refused. */
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

/** Put the bytes back where `{"$buffer": i}` stands. */
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

/** A filter's record after the check. */
export type CheckedRecord = FilterRecord & { bias: number };

/** A message after the check. */
export type CheckedMessage = Message & { filters: CheckedRecord[] };

type Fields = Record<string, unknown>;

const TYPES = new Set(["answer", "filters", "outputs", "predictions"]);

function fields(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TypeError(`expected ${what}, got ${JSON.stringify(value)}`);
}

function list(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`expected ${what}, got ${JSON.stringify(value)}`);
}

function whole(value: unknown, what: string): number {
  if (Number.isInteger(value)) return value as number;
  throw new TypeError(`expected ${what}, got ${JSON.stringify(value)}`);
}

function bytes(value: unknown, what: string): Bytes {
  if (isBytes(value)) return value;
  throw new TypeError(`expected the bytes of ${what}, got ${typeof value}`);
}

function readField(value: unknown): FieldRecord {
  const { rows, cols, inside, note } = fields(value, "a receptive field");
  const along = (indices: unknown) =>
    list(indices, "rows or columns").map((at) => whole(at, "a row or column"));
  const ends = (pair: unknown): [number, number] | null => {
    if (pair === null) return null;
    const [first, last] = along(pair);
    return [whole(first, "a first row or column"), whole(last, "a last row or column")];
  };
  const read = inside === null ? null : list(inside, "rows and columns");
  return {
    rows: ends(rows),
    cols: ends(cols),
    inside: read && [along(read[0]), along(read[1])],
    note: String(note),
  };
}

function readPlane(value: unknown): PictureRecord {
  const plane = fields(value, "a plane");
  const [rows, cols] = list(plane.shape, "a plane's shape").map((size) => whole(size, "a size"));
  const [low, high] = list(plane.range, "a plane's range").map(unpackNumber);
  if (rows === undefined || cols === undefined) throw new TypeError("a plane's shape takes two numbers");
  if (low === undefined || high === undefined) throw new TypeError("a plane's range takes two numbers");
  const levels = bytes(plane.levels, "a plane");
  const flags =
    plane.flags === null || plane.flags === undefined ? null : bytes(plane.flags, "a plane's flags");
  return { shape: [rows, cols], range: [low, high], levels, flags };
}

function readMap(value: unknown): MapRecord | null {
  if (value === null || value === undefined) return null;
  const map = fields(value, "a map");
  const [low, high] = list(map.range, "a map's range").map(unpackNumber);
  if (map.stage !== "activation" && map.stage !== "pre_activation")
    throw new TypeError("a map without a stage");
  if (low === undefined || high === undefined) throw new TypeError("a map's range takes two numbers");
  return {
    stage: map.stage,
    range: [low, high],
    levels: bytes(map.levels, "a map"),
    flags: map.flags === null || map.flags === undefined ? null : bytes(map.flags, "a map's flags"),
    counts: fields(map.counts, "a map's counts") as unknown as MapRecord["counts"],
  };
}

/** Check a filter's record and give its numbers their types; it throws where the record is malformed. */
export function readRecord(value: unknown): CheckedRecord {
  const record = fields(value, "a filter's record");
  return {
    uid: whole(record.uid, "a filter's uid"),
    rev: whole(record.rev, "a filter's rev"),
    kernel: bytes(record.kernel, "a kernel"),
    bias: unpackNumber(record.bias),
    first_channel: whole(record.first_channel, "a filter's first channel"),
    map: readMap(record.map),
  };
}

/** Check a message from the kernel; null where it is none of ours, an exception where it is ours and malformed. */
export function readMessage(content: unknown, buffers: readonly Bytes[]): CheckedMessage | null {
  if (typeof content !== "object" || content === null) return null;
  const { type } = content as Fields;
  if (!TYPES.has(type as string)) return null;
  const message = fields(unpack(content, buffers), "a message");
  const history = fields(message.history, "the history");
  const common = {
    generation: whole(message.generation, "a generation"),
    history: { undo: whole(history.undo, "the undo count"), redo: whole(history.redo, "the redo count") },
    filters: list(message.filters, "filter records").map(readRecord),
    outdated: list(message.outdated ?? [], "uids").map((uid) => whole(uid, "a filter's uid")),
    serial: whole(message.serial, "a message's number"),
  };
  if (type === "filters") return { type, ...common };
  if (type === "outputs") return { ...readOutputs(message), ...common };
  return { ...(type === "answer" ? readAnswer(message) : readPredictions(message)), ...common };
}

function readOutputs(message: Fields): OutputsMessage {
  return { type: "outputs", data: fields(message.data, "what an output shows") };
}

function readPredictions(message: Fields): PredictionsMessage {
  const { predictions, error } = message as unknown as PredictionsMessage;
  return {
    type: "predictions",
    client: String(message.client),
    seq: Number(message.seq),
    predictions: predictions && {
      before: bytes(predictions.before, "predictions"),
      after: bytes(predictions.after, "predictions"),
    },
    ...(error && { error: { title: String(error.title), text: String(error.text) } }),
  };
}

function readAnswer(message: Fields): Answer {
  const answer: Answer = {
    type: "answer",
    client: String(message.client),
    seq: whole(message.seq, "an answer's number"),
    ok: message.ok === true,
  };
  if (message.error) {
    const error = fields(message.error, "an error");
    answer.error = { title: String(error.title), text: String(error.text) };
  }
  if (typeof message.code === "string") answer.code = message.code;
  if (typeof message.model === "string") answer.model = message.model;
  if (message.diagnostics) {
    answer.diagnostics = fields(message.diagnostics, "diagnostics") as unknown as DiagnosticsRecord;
  }
  if (message.stats) {
    const { energy, dead, norm } = fields(message.stats, "statistics");
    answer.stats = {
      energy: bytes(energy, "energies"),
      dead: bytes(dead, "shares of zeros"),
      norm: bytes(norm, "norms"),
    };
  }
  if (message.deep) {
    const deep = fields(message.deep, "what a preview takes");
    answer.deep = {
      uid: whole(deep.uid, "a filter's uid"),
      rev: whole(deep.rev, "a filter's rev"),
      pre_activation: bytes(deep.pre_activation, "a pre-activation"),
      planes: list(deep.planes, "planes").map((item) => {
        const { channel, data } = fields(item, "a plane");
        return { channel: whole(channel, "a plane's channel"), data: bytes(data, "a plane") };
      }),
      contribution: bytes(deep.contribution, "contributions"),
    };
  }
  if (message.patch) {
    const patch = fields(message.patch, "a patch");
    answer.patch = {
      rows: list(patch.rows, "a patch's rows").map((row) => whole(row, "a row")),
      cols: list(patch.cols, "a patch's columns").map((col) => whole(col, "a column")),
      values: bytes(patch.values, "a patch"),
      field: readField(patch.field),
    };
  }
  if (message.plane) answer.plane = readPlane(message.plane);
  if (message.factors) {
    const factors = fields(message.factors, "what a filter is made of");
    answer.factors = {
      uid: whole(factors.uid, "a filter's uid"),
      rev: whole(factors.rev, "a filter's rev"),
      multiplier: whole(factors.multiplier, "a depth multiplier"),
      depthwise: bytes(factors.depthwise, "depthwise kernels"),
      pointwise: bytes(factors.pointwise, "pointwise weights"),
      contribution: bytes(factors.contribution, "contributions"),
    };
  }
  if (message.values) {
    answer.values = list(message.values, "values").map((item) => {
      const value = fields(item, "a value");
      return {
        uid: whole(value.uid, "a value's uid"),
        rev: whole(value.rev, "a value's rev"),
        activation: unpackNumber(value.activation),
        pre_activation: unpackNumber(value.pre_activation),
      };
    });
  }
  return answer;
}
