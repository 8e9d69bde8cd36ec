import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactBuffer, floatsOf, pack, packNumber, unpack, unpackNumber } from "../protocol/bytes.ts";

/** Bytes at an offset in a larger buffer, as websocket frames bring them. */
function framed(bytes: Uint8Array, offset: number): ArrayBuffer {
  const frame = new Uint8Array(offset + bytes.length + 5).fill(99);
  frame.set(bytes, offset);
  return frame.buffer;
}

describe("bytes from a host", () => {
  test("a view's offset and length are honoured, whatever kind of view it is and however it is aligned", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1 }), fc.nat(9), (values, offset) => {
        const floats = Float32Array.from(values);
        const buffer = framed(new Uint8Array(floats.buffer), offset);
        const views = [
          new DataView(buffer, offset, floats.byteLength),
          new Uint8Array(buffer, offset, floats.byteLength),
          buffer.slice(offset, offset + floats.byteLength),
        ];
        for (const view of views) expect(floatsOf(view)).toEqual(floats);
      }),
    );
  });

  test("what is handed to a host is never a part of a larger buffer", () => {
    const whole = new Uint8Array([1, 2, 3, 4]);
    expect(exactBuffer(whole)).toBe(whole.buffer);
    expect(new Uint8Array(exactBuffer(whole.subarray(1, 3)))).toEqual(new Uint8Array([2, 3]));
  });

  test("a byte count that is no float32 array is an error", () => {
    expect(() => floatsOf(new Uint8Array(6))).toThrow(/6 bytes/);
  });
});

describe("numbers that JSON cannot hold", () => {
  test.each([0, -1.5, Number.NaN, Infinity, -Infinity])("%d comes back as it went", (value) => {
    const crossed = JSON.parse(JSON.stringify(packNumber(value)));
    expect(unpackNumber(crossed)).toBe(value);
  });

  test.each(["", "1", "nan", null, true, {}])("%j is no number", (value) => {
    expect(() => unpackNumber(value)).toThrow(TypeError);
  });
});

describe("packing", () => {
  const request = {
    type: "replace",
    uids: [3],
    shape: [1, 1, 2],
    kernels: new Uint8Array(new Float32Array([1, 2]).buffer),
    gesture: "1",
    client: "a",
    seq: 7,
  } as const;

  test("bytes leave the JSON part as numbered buffers and come back to their places", () => {
    const { content, buffers } = pack(request);
    expect(content.kernels).toEqual({ $buffer: 0 });
    expect(buffers).toHaveLength(1);
    const back = unpack(JSON.parse(JSON.stringify(content)), buffers) as typeof request;
    expect(floatsOf(back.kernels)).toEqual(new Float32Array([1, 2]));
    expect({ ...back, kernels: null }).toEqual({ ...request, kernels: null });
  });

  test("a buffer that did not come is an error", () => {
    expect(() => unpack({ kernel: { $buffer: 1 } }, [new ArrayBuffer(0)])).toThrow(/buffer 1/);
  });
});
