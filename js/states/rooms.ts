/** The lens at rest in every room, theme and view, and what a person points at. */
import { drawn, LANDSCAPE, PHONE, PORTRAIT, type State, scrollTo, TALL, WIDE, write } from "./state.ts";

export const ROOMS: readonly State[] = [
  { name: "portrait", ...WIDE, options: PORTRAIT },
  { name: "tall room", ...TALL, options: PORTRAIT },
  { name: "very tall room", width: 968, height: 1400, options: PORTRAIT },
  { name: "wide room", width: 1400, height: 700, options: PORTRAIT },
  { name: "landscape", ...WIDE, options: LANDSCAPE },
  { name: "dark", ...WIDE, theme: "dark", options: PORTRAIT },
  { name: "half a screen", width: 640, height: 700, options: PORTRAIT },
  { name: "narrow", ...PHONE, options: PORTRAIT },
  {
    name: "narrow, dark, below the image",
    ...PHONE,
    theme: "dark",
    options: PORTRAIT,
    act: ({ lens, box }) => {
      lens.pin([37, 25]);
      return scrollTo(box, ".cl-card");
    },
  },
  { name: "pinned", ...WIDE, options: PORTRAIT, act: ({ lens }) => lens.pin([37, 25]) },
  {
    name: "pointed at",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens }) => {
      lens.hover.value = { row: 15, col: 32 };
    },
  },
  {
    name: "zoomed",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens }) => {
      // The left rim of the disc.
      lens.viewport.value = { x: 0.16, y: 0.5, zoom: 6 };
      lens.pin([37, 9]);
    },
  },
  {
    name: "sliding",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens }) => {
      lens.sliding.value = true;
      lens.pin([37, 25]);
    },
  },
  { name: "overlay", ...WIDE, options: PORTRAIT, act: ({ lens }) => lens.set("overlay", 0.6) },
  {
    name: "diverging kernels, pre-activation",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens }) => {
      lens.set("kernel_cmap", "RdBu_r");
      lens.set("stage", "pre_activation");
    },
  },
  {
    name: "compared with before",
    ...WIDE,
    options: PORTRAIT,
    act: async ({ lens, python }) => {
      write(lens, 0, (tap) => tap % 3);
      python.pump();
      await drawn();
      lens.comparing.value = true;
    },
  },
  {
    name: "fixed range",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens }) => lens.set("value_range", [0, 0.4]),
  },
  {
    name: "focus",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens }) => {
      lens.set("view", "focus");
      lens.pin([37, 32]);
    },
  },
  {
    name: "focus, dark",
    ...TALL,
    theme: "dark",
    options: PORTRAIT,
    act: ({ lens }) => {
      lens.set("view", "focus");
      lens.pin([37, 32]);
    },
  },
  {
    name: "focus, landscape",
    ...WIDE,
    options: LANDSCAPE,
    act: ({ lens }) => {
      lens.set("view", "focus");
      lens.pin([25, 32]);
    },
  },
  { name: "focus, narrow", ...PHONE, options: PORTRAIT, act: ({ lens }) => lens.set("view", "focus") },
  { name: "colour", ...WIDE, options: { rows: 90, cols: 80, channels: 3 } },
  {
    name: "one filter",
    ...WIDE,
    options: { ...PORTRAIT, size: 3, kernels: [Float32Array.of(-1, 0, 1, -2, 0, 2, -1, 0, 1)] },
  },
  {
    name: "kernel of 15 × 15",
    ...WIDE,
    options: {
      ...LANDSCAPE,
      size: 15,
      kernels: [0, 1].map((k) => Float32Array.from({ length: 225 }, (_, i) => Math.sin(i * (k + 1)))),
    },
  },
];
