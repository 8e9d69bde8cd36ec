import fc from "fast-check";
import { expect, test } from "vitest";
import { GATHER_MS } from "../connection/request-queue.ts";
import { expectAgreement, play, type Step, stage, step } from "./steps.ts";

test("after any interleaving of two browsers, Python and late answers, all three hold the same and Keras's maps are drawn", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { host, fronts } = stage();
      for (const one of steps) {
        play(host, fronts, one as unknown as Step);
        expect(host.python.waiting.length).toBeLessThanOrEqual(fronts.length);
      }
      do {
        host.python.pump();
        for (const { schedule } of fronts) schedule.pass(GATHER_MS);
      } while (host.python.waiting.length > 0);
      expectAgreement(host, fronts);
    }),
    { numRuns: 150 },
  );
});
