import fc from "fast-check";
import { expect, test } from "vitest";
import { Lens } from "../model/store.ts";
import { type Fixture, fixture } from "./fake-host.ts";
import { PlayedSchedule } from "./play.ts";

const value = fc.integer({ min: -8, max: 8 }).map((n) => n / 4);
const pick = fc.nat(99);

/** What two front ends, Python, the wire and time may do, in any order. */
const step = fc.oneof(
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
type Step = typeof step extends fc.Arbitrary<infer T> ? Partial<Record<string, unknown>> & T : never;

interface Front {
  lens: Lens;
  schedule: PlayedSchedule;
}

function play({ kernel }: Fixture, fronts: readonly Front[], one: Step): void {
  const s = one as {
    kind: string;
    who: number;
    pick: number;
    tap: number;
    value: number;
    to: number;
    flag: boolean;
  };
  const front = fronts[s.who ?? 0] as Front;
  const { lens } = front;
  const uid = lens.filters.value[s.pick % lens.filters.value.length]?.uid ?? 0;
  switch (s.kind) {
    case "edit":
      return lens.edit([{ uid, taps: { index: [s.tap], value: [s.value] } }]);
    case "bias":
      return lens.edit([{ uid, bias: s.value }]);
    case "replace":
      return lens.replace([uid], [3, 3, 1], [new Float32Array(9).fill(s.value)]);
    case "begin":
      return lens.beginGesture();
    case "end":
      return lens.endGesture();
    case "add":
      return lens.filters.value.length < 5 ? lens.add(new Float32Array(9).fill(s.value), null, 0) : undefined;
    case "remove":
      return lens.filters.value.length > 2 ? lens.remove(uid) : undefined;
    case "move":
      return lens.move(uid, Math.min(s.to, lens.filters.value.length - 1));
    case "undo":
      return lens.undo();
    case "redo":
      return lens.redo();
    case "reset":
      return lens.reset();
    case "stage":
      return lens.setStage(s.flag ? "activation" : "pre_activation");
    case "stride":
      return lens.configure({ strides: s.flag ? [1, 1] : [2, 1] });
    case "python": {
      const index = s.pick % kernel.filters.length;
      return kernel.assign(
        kernel.filters.map((filter, i) => {
          if (i !== index) return filter;
          const changed = filter.kernel.slice();
          changed[s.tap] = s.value;
          return { ...filter, kernel: changed };
        }),
      );
    }
    case "answer":
      kernel.step();
      return;
    default:
      return front.schedule.repaint();
  }
}

function open(host: Fixture, model = host.model): Front {
  const schedule = new PlayedSchedule();
  return { lens: new Lens(model.afm, schedule), schedule };
}

test("after any interleaving of two browsers, Python and late answers, all three hold the same and Keras's maps are drawn", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const kernels = [1, -0.5, 0.25].map((v) =>
        Float32Array.from({ length: 9 }, (_, i) => (i % 2 ? v : -v)),
      );
      const host = fixture({ rows: 7, cols: 8, size: 3, kernels });
      const fronts = [open(host), open(host, host.kernel.attach())];
      for (const one of steps) {
        play(host, fronts, one as Step);
        expect(host.kernel.waiting.length).toBeLessThanOrEqual(fronts.length);
      }
      host.kernel.pump();
      for (const { lens, schedule } of fronts) {
        schedule.pass(0);
        schedule.repaint();
        expect(lens.link.value).toBe("idle");
        expect(lens.filters.value.map(({ uid }) => uid)).toEqual(host.kernel.filters.map(({ uid }) => uid));
        expect(lens.names.value).toEqual(host.kernel.filters.map(({ name }) => name));
        expect(lens.history.value).toEqual(host.kernel.history);
        lens.filters.value.forEach((filter, i) => {
          expect(filter.kernel.value).toEqual(host.kernel.filters[i]?.kernel);
          expect(filter.bias.value).toBe(host.kernel.filters[i]?.bias);
          expect(filter.map.value.provenance).toBe("keras");
          expect(filter.map.value.keras?.range).toEqual(host.kernel.map(filter.uid).range);
        });
        const problem = lens.problem.value;
        if (problem) expect(problem.text).toMatch(/no longer in the list/);
      }
      expect(fronts[0]?.lens.stage.value).toBe(fronts[1]?.lens.stage.value);
    }),
    { numRuns: 150 },
  );
});
