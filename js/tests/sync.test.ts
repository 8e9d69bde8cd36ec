import { describe, expect, test } from "vitest";
import { bytesOf } from "../protocol/bytes.ts";
import { expectPreview, first } from "./expected-maps.ts";
import { played } from "./play.ts";

describe("structure", () => {
  test("adding, removing, moving, renaming, undo, redo and reset follow the kernel", () => {
    const play = played();
    const { lens, python, schedule } = play;
    const uids = () => lens.filters.value.map(({ uid }) => uid);
    const settle = () => {
      python.pump();
      schedule.repaint();
    };
    lens.add(new Float32Array(16).fill(0.1), "blur", 1);
    settle();
    expect(lens.names.value).toEqual(["Filter 1", "blur", "Filter 2", "Filter 3", "Filter 4"]);
    expect(lens.filters.value[1]?.map.value.provenance).toBe("keras");
    lens.remove(2);
    lens.move(4, 0);
    lens.rename(4, "last");
    settle();
    expect(uids()).toEqual([4, 1, 100, 3]);
    expect(lens.names.value[0]).toBe("last");
    lens.undo();
    lens.undo();
    settle();
    expect(uids()).toEqual([1, 100, 3, 4]);
    lens.redo();
    settle();
    expect(uids()).toEqual([4, 1, 100, 3]);
    lens.reset();
    settle();
    expect(uids()).toEqual([1, 2, 3, 4]);
    expect(lens.filters.value.every(({ map }) => map.value.provenance === "keras")).toBe(true);
  });

  test("a filter that stays is the same object wherever it moves", () => {
    const play = played();
    const filter = first(play);
    play.lens.move(filter.uid, 2);
    play.python.pump();
    expect(play.lens.filters.value[2]).toBe(filter);
  });

  test("replacing every kernel by one of another size changes the layer", () => {
    const play = played();
    const uids = play.lens.filters.value.map(({ uid }) => uid);
    play.lens.replace(
      uids,
      [3, 3, 1],
      uids.map((uid) => new Float32Array(9).fill(uid)),
    );
    play.python.pump();
    play.schedule.repaint();
    expect(play.lens.geometry.value.kernel_size).toEqual([3, 3]);
    expect(first(play).kernel.value).toEqual(new Float32Array(9).fill(1));
    expect(first(play).map.value).toMatchObject({ provenance: "keras", rows: 22, cols: 30 });
  });

  test("another stride, then another activation: maps of the old layer are not drawn", () => {
    const play = played();
    play.lens.configure({ strides: [2, 2] });
    play.lens.configure({ activation: "linear" });
    play.python.pump();
    play.schedule.repaint();
    expect(first(play).map.value).toMatchObject({ provenance: "keras", rows: 11, cols: 15 });
    play.lens.edit([{ uid: first(play).uid, bias: -1 }]);
    play.schedule.repaint();
    expectPreview(play, first(play));
  });
});

describe("messages", () => {
  test("of a later generation than the state wait for it", () => {
    const play = played();
    const filter = first(play);
    const [one] = play.python.filters;
    const map = play.python.map(1);
    const kernel = new Float32Array(16).fill(7);
    const record = {
      uid: 1,
      rev: 9,
      kernel: { $buffer: 0 },
      bias: 0,
      first_channel: 0,
      map: { ...map, levels: { $buffer: 1 } },
    };
    const history = { undo: 4, redo: 0 };
    const buffers = [kernel.buffer, bytesOf(map.levels).slice().buffer as ArrayBuffer];
    play.model.receive({ type: "filters", generation: 2, history, filters: [record], serial: 2 }, buffers);
    expect(filter.kernel.value).toEqual(one?.kernel);
    play.model.receiveTraits({ _state: { ...play.model.get("_state"), generation: 2 } });
    play.schedule.repaint();
    expect(filter.kernel.value).toEqual(kernel);
    expect(filter.map.value.provenance).toBe("keras");
  });

  test("whose traits do not follow are asked for again, with the traits", () => {
    const play = played();
    const history = { undo: 1, redo: 0 };
    const record = { uid: 1, rev: 9, kernel: { $buffer: 0 }, bias: 0, first_channel: 0, map: null };
    const sent = () => play.model.sent.map(({ content }) => [content.type, content.again]);
    const message = { type: "filters", generation: 2, history, filters: [record], serial: 2 };
    play.model.receive(message, [new Float32Array(16).buffer]);
    const before = sent();
    play.schedule.pass(999);
    expect(sent()).toEqual(before);
    play.schedule.pass(1);
    expect(sent()).toEqual([...before, ["hello", true]]);
  });

  test("that were lost are made up for when the next one comes", () => {
    const play = played();
    const lost = play.python.carry;
    play.python.carry = () => {};
    play.python.assign(play.python.filters.map((f) => ({ ...f, kernel: f.kernel.map((v) => 2 * v) })));
    play.python.carry = lost;
    expect(first(play).kernel.value).not.toEqual(play.python.filters[0]?.kernel);
    play.lens.select(2);
    play.python.pump();
    play.schedule.repaint();
    expect(first(play).kernel.value).toEqual(play.python.filters[0]?.kernel);
    expect(first(play).map.value.provenance).toBe("keras");
  });

  test("to another front end are not taken for answers of one's own", () => {
    const play = played();
    play.lens.undo();
    const history = { undo: 0, redo: 0 };
    play.model.receive(
      { type: "answer", client: "other", seq: 2, ok: true, generation: 1, history, filters: [], serial: 2 },
      [],
    );
    expect(play.lens.link.value).toBe("sending");
  });

  test("that cannot be read are said to be so", () => {
    const play = played();
    play.model.receive({ type: "filters" }, []);
    expect(play.lens.problem.value?.title).toMatch(/could not be read/);
  });
});

describe("what a host saves", () => {
  test("is the newest state, and nothing of it was sent by save_changes", () => {
    const play = played();
    play.lens.edit([{ uid: 1, taps: { index: [0], value: [5] } }]);
    play.schedule.repaint();
    play.schedule.pass(300);
    const [record] = play.model.get("_filters").filters;
    const saved = new Float32Array(bytesOf(record?.kernel ?? new ArrayBuffer(0)).slice().buffer);
    expect(saved[0]).toBe(5);
    expect(record?.map).toBeNull();
    play.python.pump();
    play.schedule.pass(300);
    const [confirmed] = play.model.get("_filters").filters;
    expect(confirmed?.map?.stage).toBe("activation");
    const bytes = confirmed?.map?.levels as DataView;
    expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
  });
});

describe("letting go", () => {
  test("leaves no listener behind", () => {
    const play = played();
    expect(play.model.listeners()).toBeGreaterThan(0);
    play.lens.dispose();
    expect(play.model.listeners()).toBe(0);
  });
});
