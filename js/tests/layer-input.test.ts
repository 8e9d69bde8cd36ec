// @vitest-environment happy-dom
import { effect } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Request } from "../protocol/requests.ts";
import { Lens } from "../state/lens.ts";
import { type Fixture, fixture } from "./fake-host.ts";

let made: Fixture;
let lens: Lens;

beforeEach(() => {
  made = fixture({
    rows: 8,
    cols: 9,
    channels: 2,
    size: 3,
    kernels: [new Float32Array(18).fill(1)],
    layers: [
      {
        path: "conv",
        class_name: "Conv2D",
        input_shape: [8, 9, 2],
        output_shape: [6, 7, 1],
        kernel_size: [3, 3],
        filters: 1,
      },
    ],
  });
  lens = new Lens(made.model.afm);
  made.python.pump();
});

afterEach(() => lens.dispose());

const uid = () => lens.filters.value[0]?.uid ?? -1;
const asked = () =>
  made.python.waiting
    .map(({ content }) => content as unknown as Request)
    .filter(({ type }) => type === "patch");

test("while a patch is on its way the newest pixel waits and no other", async () => {
  const seen: (string | undefined)[] = [];
  let at: [number, number] = [0, 0];
  for (at of [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
  ] as [number, number][]) {
    lens.patchAt(uid(), ...at);
    await Promise.resolve();
  }
  await vi.waitFor(() => {
    for (const request of asked()) if (request.type === "patch") seen.push(`${request.row},${request.col}`);
    made.python.pump();
    expect(lens.patchAt(uid(), 3, 3)).toMatchObject({ rows: [3, 4, 5], cols: [3, 4, 5] });
  });
  expect(seen).toEqual(["0,0", "3,3"]);
});

test("whoever reads a patch runs again when it is there, and it is asked for once", async () => {
  let reads = 0;
  let patch: ReturnType<Lens["patchAt"]> = null;
  const stop = effect(() => {
    reads++;
    patch = lens.patchAt(uid(), 2, 3);
  });
  expect(patch).toBeNull();
  await vi.waitFor(() => {
    made.python.pump();
    expect(patch).toMatchObject({ rows: [2, 3, 4], cols: [3, 4, 5] });
  });
  const before = reads;
  lens.patchAt(uid(), 2, 3);
  await Promise.resolve();
  expect(asked()).toHaveLength(0);
  expect(reads).toBe(before);
  stop();
});

test("a layer that is fed something else is asked anew", async () => {
  const read = () => lens.patchAt(uid(), 0, 0);
  read();
  await vi.waitFor(() => {
    made.python.pump();
    expect(read()).not.toBeNull();
  });
  made.python.assignTrait("_training", { running: false, snapshots: [], shown: null });
  expect(read()).toBeNull();
});

test("without a kernel there is a sentence, and with one again an answer", async () => {
  made.model.trigger("comm:close");
  const read = () => lens.patchAt(uid(), 0, 0);
  read();
  await vi.waitFor(() => expect(read()).toBeInstanceOf(Error));
  expect((read() as Error).message).toContain("running kernel");
  made.python.announce();
  await vi.waitFor(() => {
    read();
    made.python.pump();
    expect(read()).toMatchObject({ rows: [0, 1, 2] });
  });
});
