/** The real lens, driven line by line from Python: run by run-lens.mjs for tests/unit/test_both_sides.py. */
import { GATHER_MS } from "../connection/request-queue.ts";
import { unpack } from "../protocol/bytes.ts";
import type { Traits } from "../protocol/records.ts";
import { Lens } from "../state/lens.ts";
import { FakeModel } from "./fake-model.ts";
import { PlayedSchedule } from "./play.ts";

/** A message, with its bytes in base64. */
interface Packed {
  content: Record<string, unknown>;
  buffers: string[];
}

/** What a person does; `pick` chooses a filter, `n` whatever else there is to choose. */
interface Action {
  kind: string;
  pick: number;
  n: number;
  value: number;
}

type Command =
  | ({ command: "open" | "traits" | "message" } & Packed)
  | { command: "act"; action: Action }
  | { command: "read" };

const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
const base64 = (buffer: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

export class RemoteLens {
  #model: FakeModel | null = null;
  #lens: Lens | null = null;
  readonly #schedule = new PlayedSchedule();

  constructor(private readonly write: (line: object) => void) {}

  obey(command: Command): void {
    let read: object | null = null;
    if (command.command === "open") this.#open(this.#unpack(command));
    else if (command.command === "traits") this.#model?.receiveTraits(this.#unpack(command));
    else if (command.command === "message") {
      this.#model?.receive(command.content, command.buffers.map(bytes) as ArrayBuffer[]);
      this.#schedule.pass(GATHER_MS);
    } else if (command.command === "act") this.#act(command.action);
    else read = this.#read();
    this.write({ done: read });
  }

  #unpack({ content, buffers }: Packed): Traits {
    return unpack(content, buffers.map(bytes) as ArrayBuffer[]) as Traits;
  }

  #open(traits: Traits): void {
    this.#model = new FakeModel(traits);
    this.#model.deliver = ({ content, buffers }) =>
      this.write({ sent: { content, buffers: buffers.map(base64) } });
    this.#lens = new Lens(this.#model.afm, this.#schedule);
  }

  #act({ kind, pick, n, value }: Action): void {
    const lens = this.#lens as Lens;
    const filters = lens.filters.value;
    const { uid, kernel } = filters[pick % filters.length] as (typeof filters)[number];
    const { kernel_size, kernel_channels, input_shape } = lens.geometry.value;
    const shape = (rows: number, cols: number) => [rows, cols, kernel_channels] as [number, number, number];
    const filled = (rows: number, cols: number) =>
      Float32Array.from({ length: rows * cols * kernel_channels }, (_, i) => (i % 2 ? value : -value));
    const actions: Record<string, () => void> = {
      edit: () => lens.edit([{ uid, taps: { index: [n % kernel.value.length], value: [value] } }]),
      bias: () => lens.edit([{ uid, bias: value }]),
      replace: () => lens.replace([uid], shape(...kernel_size), [filled(...kernel_size)]),
      resize: () => {
        const size = (n % 2) + 2;
        const uids = filters.map((one) => one.uid);
        lens.replace(
          uids,
          shape(size, size),
          uids.map(() => filled(size, size)),
        );
      },
      begin: () => lens.beginGesture(),
      end: () => lens.endGesture(),
      add: () =>
        lens.add(filled(...kernel_size), n % 2 ? `added ${n}` : null, n % (filters.length + 1), value),
      remove: () => lens.remove(uid),
      move: () => lens.move(uid, n % filters.length),
      rename: () => lens.rename(uid, `named ${n}`),
      undo: () => lens.undo(),
      redo: () => lens.redo(),
      reset: () => lens.reset(),
      strides: () => lens.configure({ strides: [1 + (n % 2), 1] }),
      padding: () => lens.configure({ padding: n % 2 ? "same" : "valid" }),
      activation: () => lens.configure({ activation: n % 2 ? "tanh" : "relu" }),
      stage: () => lens.set("stage", n % 2 ? "activation" : "pre_activation"),
      cmap: () => lens.set("cmap", n % 2 ? "gray" : "viridis"),
      range: () => lens.set("value_range", n % 2 ? "shared" : [-1, 1 + (n % 5)]),
      select: () => lens.select(pick % filters.length),
      pin: () => lens.pin([n % 4, pick % 4]),
      image: () => {
        const [rows, cols] = [9 + (n % 3), 8 + (n % 2)];
        const size = rows * cols * input_shape[2];
        lens.setImage(
          [rows, cols, input_shape[2]],
          Uint8Array.from({ length: size }, (_, i) => (i * n) % 256),
        );
      },
    };
    (actions[kind] as () => void)();
    this.#schedule.repaint();
  }

  #read(): object {
    const lens = this.#lens as Lens;
    this.#schedule.pass(0);
    this.#schedule.repaint();
    const picture = lens.picture.value;
    return {
      link: lens.link.value,
      problem: lens.problem.value?.text ?? null,
      names: lens.names.value,
      history: lens.history.value,
      cmap: lens.cmap.value,
      stage: lens.shared.stage.value,
      value_range: lens.shared.value_range.value,
      selected: lens.selected.value,
      pixel: lens.pixel.value,
      output_shape: lens.geometry.value.output_shape,
      strides: lens.geometry.value.strides,
      padding: lens.geometry.value.padding,
      activation: lens.geometry.value.activation,
      image: Array.from({ length: picture.channels }, (_, channel) => [...picture.drawn.plane(channel)]),
      filters: lens.filters.value.map((filter) => ({
        uid: filter.uid,
        kernel: [...filter.kernel.value],
        bias: filter.bias.value,
        provenance: filter.map.value.provenance,
        range: filter.map.value.keras?.range ?? null,
      })),
    };
  }
}
