import fc from "fast-check";
import { expect } from "vitest";
import { Lens } from "../state/lens.ts";
import { type Fixture, fixture } from "./fake-host.ts";
import type { FakeFilter } from "./fake-layer.ts";
import { PlayedSchedule } from "./play.ts";

/** Things that may happen to a lens with two browsers, and what must be true once everything has been delivered. */
const value = fc.integer({ min: -8, max: 8 }).map((n) => n / 4);
const pick = fc.nat(99);

/** What two front ends, Python, the connection and time may do, in any order. */
export const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("edit"), who: fc.nat(1), pick, tap: fc.nat(8), value }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("bias"), who: fc.nat(1), pick, value }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("replace"), who: fc.nat(1), pick, value }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("begin", "end"), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("add"), who: fc.nat(1), pick, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove"), who: fc.nat(1), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("move"), who: fc.nat(1), pick, to: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("undo", "redo", "reset"), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stage"), who: fc.nat(1), flag: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stride"), who: fc.nat(1), flag: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("python"), pick, tap: fc.nat(8), value }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("answer") }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("repaint"), who: fc.nat(1) }) },
);
export interface Step {
  kind: string;
  who: number;
  pick: number;
  tap: number;
  value: number;
  to: number;
  flag: boolean;
}

export interface Front {
  lens: Lens;
  schedule: PlayedSchedule;
}

export function play({ python }: Fixture, fronts: readonly Front[], s: Step): void {
  const { lens, schedule } = fronts[s.who ?? 0] as Front;
  const count = lens.filters.value.length;
  const uid = lens.filters.value[s.pick % count]?.uid ?? 0;
  const actions: Record<string, () => void> = {
    edit: () => lens.edit([{ uid, taps: { index: [s.tap], value: [s.value] } }]),
    bias: () => lens.edit([{ uid, bias: s.value }]),
    replace: () => lens.replace([uid], [3, 3, 1], [new Float32Array(9).fill(s.value)]),
    begin: () => lens.beginGesture(),
    end: () => lens.endGesture(),
    add: () => count < 5 && lens.add(new Float32Array(9).fill(s.value), null, 0),
    remove: () => count > 2 && lens.remove(uid),
    move: () => lens.move(uid, Math.min(s.to, count - 1)),
    undo: () => lens.undo(),
    redo: () => lens.redo(),
    reset: () => lens.reset(),
    stage: () => lens.set("stage", s.flag ? "activation" : "pre_activation"),
    stride: () => lens.configure({ strides: s.flag ? [1, 1] : [2, 1] }),
    answer: () => python.step(),
    repaint: () => schedule.repaint(),
    python: () => {
      const filters = [...python.filters];
      const index = s.pick % filters.length;
      const filter = filters[index] as FakeFilter;
      filters[index] = { ...filter, kernel: filter.kernel.map((v, tap) => (tap === s.tap ? s.value : v)) };
      python.assign(filters);
    },
  };
  actions[s.kind]?.();
}

export function open(host: Fixture, model = host.model): Front {
  const schedule = new PlayedSchedule();
  return { lens: new Lens(model.afm, schedule), schedule };
}

/** Three filters, a kernel that answers when it is told to, and two browsers. */
export function stage(): { host: Fixture; fronts: [Front, Front] } {
  const kernels = [1, -0.5, 0.25].map((v) => Float32Array.from({ length: 9 }, (_, i) => (i % 2 ? v : -v)));
  const host = fixture({ rows: 7, cols: 8, size: 3, kernels });
  return { host, fronts: [open(host), open(host, host.python.attach())] };
}

/** Both browsers hold what the kernel holds, and draw Keras's maps of it. */
export function expectAgreement(host: Fixture, fronts: readonly Front[]): void {
  for (const { lens, schedule } of fronts) {
    schedule.pass(0);
    schedule.repaint();
    expect(lens.link.value).toBe("idle");
    expect(lens.filters.value.map(({ uid }) => uid)).toEqual(host.python.filters.map(({ uid }) => uid));
    expect(lens.names.value).toEqual(host.python.filters.map(({ name }) => name));
    expect(lens.history.value).toEqual(host.python.history);
    lens.filters.value.forEach((filter, i) => {
      expect(filter.kernel.value).toEqual(host.python.filters[i]?.kernel);
      expect(filter.bias.value).toBe(host.python.filters[i]?.bias);
      expect(filter.map.value.provenance).toBe("keras");
      expect(filter.map.value.keras?.range).toEqual(host.python.map(filter.uid).range);
    });
    const problem = lens.problem.value;
    if (problem) expect(problem.text).toMatch(/no longer in the list/);
  }
  expect(fronts[0]?.lens.shared.stage.value).toBe(fronts[1]?.lens.shared.stage.value);
}
