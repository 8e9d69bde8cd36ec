/** The lines of Python that the shapes show; tests/browser/test_walkthrough.py runs them. */
import { expect, test } from "vitest";
import { reshaped } from "../maths/geometry.ts";
import { biasCode, inputCode, kernelCode, layerCode } from "../maths/layer-code.ts";
import { fixture } from "./fake-host.ts";

const four = fixture({ rows: 24, cols: 32, settings: { activation: "relu" } }).python.geometry;
const one = reshaped(four, { filters: 1 });
const colour = fixture({ rows: 24, cols: 32, channels: 3 }).python.geometry;

test("a layer is written with the arguments that are not Keras's defaults", () => {
  expect(layerCode(one)).toBe('layer = keras.layers.Conv2D(1, (4, 4), activation="relu")');
  expect(layerCode({ ...one, strides: [2, 1], padding: "same", use_bias: false, activation: "linear" })).toBe(
    'layer = keras.layers.Conv2D(1, (4, 4), strides=(2, 1), padding="same", use_bias=False)',
  );
});

test("one filter is one kernel of the list, reshaped; several are stacked on the last axis", () => {
  expect(kernelCode(one, 2, 4)).toBe("kernel = np.reshape(lens.kernels[2], (4, 4, 1, 1))");
  expect(kernelCode(four, 0, 4)).toBe("kernel = np.stack(lens.kernels, axis=-1)[:, :, np.newaxis, :]");
  expect(kernelCode(reshaped(four, { filters: 2 }), 1, 4)).toBe(
    "kernel = np.stack(lens.kernels[1:3], axis=-1)[:, :, np.newaxis, :]",
  );
  expect(kernelCode(colour, 0, 4)).toBe("kernel = np.stack(lens.kernels, axis=-1)");
});

test("a bias is zeros, its numbers where they are few, or read from the lens", () => {
  expect(biasCode([0, 0], 0, 2)).toBe("bias = np.zeros(2)");
  expect(biasCode([-0.25, 0], 0, 2)).toBe("bias = np.array([-0.25, 0])");
  const many = Array.from({ length: 9 }, (_, i) => i);
  expect(biasCode(many, 0, 9)).toBe("bias = lens.bias");
  expect(biasCode(many, 2, 20)).toBe("bias = lens.bias[2:11]");
});

test("the input is the picture with the axes of a batch and of its channels", () => {
  expect(inputCode(four, [1, 24, 32, 1])).toBe("x = np.reshape(img, (1, 24, 32, 1))");
  expect(inputCode({ ...colour, data_format: "channels_first" }, [1, 3, 24, 32])).toBe(
    "x = np.atleast_3d(img).transpose(2, 0, 1)[np.newaxis]",
  );
});
