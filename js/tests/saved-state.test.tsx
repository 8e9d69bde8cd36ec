// @vitest-environment happy-dom
/** A saved lens that is damaged or forged: what is wrong is named, what is intact is shown, and nothing is thrown. */
import { expect, test, vi } from "vitest";
import { bytesOf } from "../protocol/bytes.ts";
import type { FilterRecord, Traits } from "../protocol/records.ts";
import widget from "../widget.tsx";
import { fixture } from "./fake-host.ts";

/** A lens as it is saved: traits with the filters and their maps, and nothing that answers. */
function saved(): Record<string, unknown> {
  const { model, python } = fixture();
  python.pump();
  const filters = structuredClone(model.get("_filters"));
  return { ...structuredClone(model.traits), _filters: filters };
}

/** Show it, as a page without Python does, and return the text, the names and the time that it took. */
function show(traits: Record<string, unknown>): { el: HTMLElement; text: string; ms: number } {
  const { model } = fixture();
  (model as { traits: unknown }).traits = traits;
  model.deliver = () => {
    throw new Error("This page has no Python behind it.");
  };
  const el = document.body.appendChild(document.createElement("div"));
  const start = performance.now();
  const close = widget.initialize({ model: model.afm });
  const remove = widget.render({ model: model.afm, el });
  const ms = performance.now() - start;
  const text = el.textContent ?? "";
  remove();
  close();
  el.remove();
  return { el, text, ms };
}

function withState(change: (state: Traits["_state"]) => void): Record<string, unknown> {
  const traits = saved();
  change(traits._state as Traits["_state"]);
  return traits;
}

function withFilters(change: (filters: FilterRecord[]) => void): Record<string, unknown> {
  const traits = saved();
  change((traits._filters as Traits["_filters"]).filters);
  return traits;
}

test("what is whole is shown without a word", () => {
  expect(show(saved()).text).not.toContain("damaged");
});

test("an image a byte short is named, and the filters are shown", () => {
  const traits = saved();
  const image = traits._image as Traits["_image"];
  traits._image = { ...image, data: bytesOf(image.data).slice(1) };
  const { text } = show(traits);
  expect(text).toContain("the image has 767 of its 768 bytes");
  expect(text).toContain("What is intact is shown");
});

test("state that came without its bytes says so, where it left the output blank", () => {
  const traits = saved();
  traits._image = { ...(traits._image as object), data: null };
  const { text } = show(traits);
  expect(text).toContain("data of the image: expected bytes");
});

test("a filter that is damaged is named by its title, and the others are shown", () => {
  const { text } = show(
    withFilters((filters) => {
      const one = filters[1] as FilterRecord;
      one.kernel = bytesOf(one.kernel).slice(4) as unknown as FilterRecord["kernel"];
    }),
  );
  expect(text).toContain("the kernel of filter “Filter 2” has 60 of its 64 bytes");
});

const zeros = (count: number) => new Uint8Array(4 * count);

const MAP = { stage: "activation", range: [0, 1], shape: [1, 2], levels: new Uint8Array(2), flags: null };
const SIDE = { ...MAP, counts: { nan: 0, posinf: 0, neginf: 0, zeros: 2 } };
/** A channel of an output of two pixels. */
const output = (after: object, values = zeros(4)) => ({
  outputs: [
    { channel: 0, size: [1, 2], before: SIDE, after: { ...SIDE, ...after }, difference: SIDE, values },
  ],
});

/** A page that brought answers: two outputs, a snapshot of four filters, and what a survey holds of one. */
function withAnswers(change: (saved: Record<string, unknown[]>) => void): Record<string, unknown> {
  const answers = {
    input: null,
    predictions: { before: zeros(2), after: zeros(2) },
    outputs: [],
    snapshots: [{ kernels: zeros(64), bias: zeros(4) }],
    excited: [{ uid: 1, original: zeros(16), bias: 0, current: true, best: [] }],
    held: "",
    left_out: "",
  };
  change(answers as unknown as Record<string, unknown[]>);
  const training = { running: false, snapshots: [{ epoch: 0, step: 0, loss: null }], shown: null };
  return { ...saved(), _training: training, _saved: answers };
}

test("answers that are whole are shown without a word", () => {
  const { text } = show(withAnswers((answers) => Object.assign(answers, output({}))));
  expect(text).not.toContain("damaged");
  expect(text).toContain("before training");
});

test.each([
  ["a prediction of two lengths", { predictions: { before: zeros(2), after: zeros(3) } }, "are incomplete"],
  [
    "a prediction of half a number",
    { predictions: { before: new Uint8Array(6), after: new Uint8Array(6) } },
    "are incomplete",
  ],
  [
    "a snapshot of too few weights",
    { snapshots: [{ kernels: zeros(63), bias: zeros(4) }] },
    "are incomplete",
  ],
  ["a snapshot too few", { snapshots: [] }, "are incomplete"],
  [
    "a survey of other kernels",
    { excited: [{ uid: 1, original: zeros(9), bias: 0, current: true, best: [] }] },
    "are incomplete",
  ],
  ["an output of too few pixels", output({ levels: new Uint8Array(1) }), "are incomplete"],
  ["an output of too few values", output({}, zeros(3)), "are incomplete"],
  ["an input of too few numbers", { input: zeros(3) }, "are incomplete"],
  ["no list of snapshots", { snapshots: 3 }, "snapshots of _saved"],
  ["no answers at all", { left_out: 3 }, "left_out of _saved"],
])("%s is named, and no slider goes through it", (_, change, words) => {
  const { text } = show(withAnswers((answers) => Object.assign(answers, change)));
  expect(text).toContain(words);
  expect(text).toContain("What is intact is shown");
  expect(text).not.toContain("before training");
});

test.each([
  ["is missing", (traits: Record<string, unknown>) => delete traits._state],
  ["is null", (traits: Record<string, unknown>) => (traits._state = null)],
])("a state that %s leaves a sentence in the lens's place", (_, change) => {
  const traits = saved();
  change(traits);
  expect(show(traits).text).toContain("the state of the lens");
});

test.each([
  ["kernel_channels", 1e9, "kernel_channels of geometry"],
  ["kernel_channels", 1e6, "channels of an input"],
  ["kernel_size", [1e6, 1e6], "the kernels are"],
  ["output_shape", [1e6, 1e6], "the maps are too large"],
  ["input_shape", [1e6, 1e6, 1], "the layer's input is"],
  ["filters", 2 ** 40, "filters of"],
])("a forged %s is refused before anything of its size is made", (name, value, words) => {
  const { text, ms } = show(withState((state) => Object.assign(state.geometry as object, { [name]: value })));
  expect(text).toContain(words);
  expect(ms).toBeLessThan(20_000);
});

test("a list of more filters than a lens takes is refused", () => {
  const { text } = show(withState((state) => (state.order = Array.from({ length: 8193 }, (_, i) => i))));
  expect(text).toContain("the list of filters");
});

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SCRIPT = '<img src=x onerror="globalThis.stranger = 1"><script>globalThis.stranger = 1</script>';
const JUNK: unknown[] = [
  ...[null, undefined, true, 0, -1, 1e9, 2 ** 53, Number.NaN, "", "NaN", SCRIPT],
  ...[[], {}, [1, 2, 3], [[]], { $buffer: 0 }, new Uint8Array(0), new Uint8Array(3)],
];

/** Replace, leave out or shorten one part of a value, anywhere in it. */
function damage(value: unknown, rng: () => number): unknown {
  const bytes = ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
  if (rng() < 0.25 || value === null || (typeof value !== "object" && !bytes)) {
    return JUNK[Math.floor(rng() * JUNK.length)];
  }
  if (bytes) return bytesOf(value as Uint8Array).slice(Math.floor(rng() * 3));
  const entries = Object.entries(value as object);
  if (entries.length === 0) return JUNK[Math.floor(rng() * JUNK.length)];
  const [key, inner] = entries[Math.floor(rng() * entries.length)] as [string, unknown];
  const leave = rng() < 0.2;
  if (Array.isArray(value)) {
    return leave
      ? value.filter((one) => one !== inner)
      : value.map((one) => (one === inner ? damage(one, rng) : one));
  }
  const { [key]: _, ...others } = value as Record<string, unknown>;
  return leave ? others : { ...others, [key]: damage(inner, rng) };
}

const ROUNDS = Number(process.env.CONVLENS_FUZZ_STATES ?? 40);

test(`${ROUNDS} forged states throw nothing, run nothing and leave nothing blank`, async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const faults: string[] = [];
  let slowest = 0;
  let named = 0;
  for (let seed = 0; seed < ROUNDS; seed++) {
    const rng = random(seed);
    let traits: Record<string, unknown> = seed % 2 ? withAnswers(() => {}) : saved();
    for (let i = 0; i <= rng() * 3; i++) {
      const { _esm, _css, ...parts } = traits;
      traits = damage(parts, rng) as Record<string, unknown>;
      if (typeof traits !== "object" || traits === null || Array.isArray(traits)) traits = saved();
    }
    // The page's own timers hold a lens until they were due: without a pause all of them stay in memory.
    await new Promise((rest) => setTimeout(rest));
    try {
      const { text, ms } = show(traits);
      slowest = Math.max(slowest, ms);
      if (text.trim() === "") faults.push(`seed ${seed}: blank`);
      if (text.includes("damaged")) named++;
      if (ms > 20_000) faults.push(`seed ${seed}: ${ms.toFixed(0)} ms`);
    } catch (error) {
      faults.push(`seed ${seed}: ${(error as Error).stack?.split("\n").slice(0, 4).join(" | ")}`);
    }
  }
  vi.restoreAllMocks();
  if (process.env.CONVLENS_FUZZ_STATES) {
    const heap = (process.memoryUsage().heapUsed / 1e6).toFixed(0);
    console.log(
      `${ROUNDS} forged states: ${named} named, slowest ${slowest.toFixed(0)} ms, ${faults.length} faults, heap ${heap} MB`,
    );
  }
  expect(faults.slice(0, 12)).toEqual([]);
  expect(named).toBeGreaterThan(0);
  expect("stranger" in globalThis).toBe(false);
}, 1_800_000);

test("a large picture and its maps, which cross reduced, are whole as they are", () => {
  const traits = saved();
  const state = traits._state as { geometry: { input_shape: number[]; output_shape: number[] } };
  state.geometry.input_shape = [3000, 4000, 1];
  state.geometry.output_shape = [2998, 3998];
  traits._image = {
    ...(traits._image as object),
    shape: [3000, 4000, 1],
    dtype: "uint8",
    data: new DataView(new ArrayBuffer(6 * 8)),
    reduced: { shape: [6, 8], range: [0, 1], not_finite: 0 },
  };
  const table = traits._filters as { filters: { map: { shape: number[]; levels: DataView } | null }[] };
  for (const filter of table.filters) {
    if (filter.map) Object.assign(filter.map, { shape: [6, 8], levels: new DataView(new ArrayBuffer(48)) });
  }
  expect(show(traits).text).not.toContain("damaged");
  (traits._image as { data: DataView }).data = new DataView(new ArrayBuffer(47));
  expect(show(traits).text).toContain("the image has 47 of its 48 bytes");
});
