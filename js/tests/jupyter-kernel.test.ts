import { expect, test } from "vitest";
import { statusWords } from "../components/ui/wording.ts";
import { LATE_MS, LOST_MS } from "../connection/request-queue.ts";
import { Lens } from "../state/lens.ts";
import { FakeConnection } from "./fake-connection.ts";
import { fixture } from "./fake-host.ts";
import { PlayedSchedule, played } from "./play.ts";

function connected() {
  const host = fixture();
  const connection = new FakeConnection(host.model);
  const schedule = new PlayedSchedule();
  const lens = new Lens(host.model.afm, schedule);
  host.python.pump();
  schedule.repaint();
  const words = () => statusWords(lens.status.value, lens.link.value, lens.gone.value).text;
  const edit = (value: number) => {
    const uid = lens.filters.value[0]?.uid ?? 0;
    lens.edit([{ uid, taps: { index: [0], value: [value] } }]);
    schedule.repaint();
  };
  return { ...host, connection, schedule, lens, words, edit };
}

test("a connection that broke is said to be so, and edits go on as previews", () => {
  const { connection, lens, words, edit } = connected();
  connection.become("connecting");
  expect(lens.link.value).toBe("disconnected");
  expect(words()).toBe("connection lost: showing previews, edits wait");
  edit(5);
  expect(lens.filters.value[0]?.map.value.provenance).toBe("preview");
  connection.become("disconnected");
  expect(lens.link.value).toBe("disconnected");
});

test("what was edited meanwhile is delivered once the connection is back", () => {
  const { python, connection, lens, schedule, edit } = connected();
  connection.become("connecting");
  edit(5);
  python.waiting.length = 0; // lost on the way
  edit(6);
  lens.rename(lens.filters.value[0]?.uid ?? 0, "renamed");
  connection.become("connected");
  python.pump();
  schedule.repaint();
  expect(lens.link.value).toBe("idle");
  expect(python.filters[0]?.kernel[0]).toBe(6);
  expect(lens.names.value[0]).toBe("renamed");
  expect(lens.filters.value[0]?.map.value.provenance).toBe("keras");
});

test("what Python set meanwhile is asked for once the connection is back", () => {
  const { python, connection, lens } = connected();
  connection.become("connecting");
  const carry = python.carry;
  python.carry = () => {};
  python.assignTrait("cmap", "copper");
  python.carry = carry;
  connection.become("connected");
  python.pump();
  expect(lens.cmap.value).toBe("copper");
});

test("a kernel that is known to run a cell is not asked again", () => {
  const { model, connection, lens, schedule, edit } = connected();
  connection.say("busy");
  edit(5);
  const sent = model.sent.length;
  for (let i = 0; i < 20; i++) schedule.pass(LOST_MS);
  expect(lens.link.value).toBe("busy");
  expect(model.sent.length).toBe(sent);
});

test.each([
  ["restarting", "Keras not connected, the kernel was restarted: run the cell again"],
  ["autorestarting", "Keras not connected, the kernel was restarted: run the cell again"],
  ["dead", "Keras not connected, the kernel has stopped: start it and run the cell again"],
])("a kernel that is %s is said to be so, and what was edited stays", (status, text) => {
  const { connection, lens, words, edit } = connected();
  edit(5);
  connection.say(status);
  expect(lens.link.value).toBe("offline");
  expect(words()).toBe(text);
  edit(6);
  expect(lens.filters.value[0]?.kernel.value[0]).toBe(6);
  expect(lens.filters.value[0]?.map.value.provenance).toBe("preview");
});

test("a kernel that was restarted while the connection was broken is found out", async () => {
  const { python, connection, lens, edit } = connected();
  connection.become("connecting");
  edit(5);
  connection.comms = ["another"];
  python.waiting.length = 0;
  connection.become("connected");
  await Promise.resolve();
  await Promise.resolve();
  expect(lens.link.value).toBe("offline");
  expect(lens.gone.value).toBe("restarted");
  expect(lens.filters.value[0]?.kernel.value[0]).toBe(5);
});

test("the same kernel is recognised", async () => {
  const { python, connection, lens } = connected();
  connection.become("connecting");
  connection.become("connected");
  await Promise.resolve();
  await Promise.resolve();
  python.pump();
  expect(lens.link.value).toBe("idle");
});

test("a host that says nothing of its kernel is taken at its answers", () => {
  const { lens, schedule, python } = played();
  lens.undo();
  schedule.pass(LATE_MS);
  expect(lens.link.value).toBe("busy");
  python.waiting.length = 0;
  schedule.pass(LOST_MS);
  python.pump();
  expect(lens.link.value).toBe("idle");
});

test("a lens that is gone listens to nothing", () => {
  const { connection, lens, model } = connected();
  expect(connection.listeners).toBe(2);
  lens.dispose();
  expect(connection.listeners).toBe(0);
  expect(model.listeners()).toBe(0);
});

class FakeComm {
  calls: unknown[] = ["the model", "the model"];
  readonly on_close = (callback: unknown) => void this.calls.splice(0, 1, callback);
  readonly on_msg = (callback: unknown) => void this.calls.splice(1, 1, callback);
}

test("the comms of a closed lens and of its layout, which a page keeps, hold nothing of it", () => {
  const host = fixture();
  const layout = Object.assign(fixture().model, { comm: new FakeComm() });
  Object.assign(host.model.traits, { layout });
  const comm = new FakeComm();
  const lens = new Lens(host.model.afm, new PlayedSchedule());
  host.model.trigger("destroy", { comm });
  lens.dispose();
  expect(layout.comm.calls).toEqual(["the model", "the model"]);
  layout.trigger("destroy", layout);
  for (const { calls } of [comm, layout.comm])
    expect(calls).toEqual([expect.any(Function), expect.any(Function)]);
});

test("a lens is closed where its host has no comm, or says nothing of it", () => {
  const { model } = connected();
  for (const closed of [undefined, {}, { comm: null }, { comm: {} }])
    expect(() => model.trigger("destroy", closed)).not.toThrow();
});
