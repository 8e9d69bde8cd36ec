/** What may be the matter: Python not there, not yet there, busy or at odds with what was asked, and maps that say so. */
import { FakeConnection } from "../tests/fake-connection.ts";
import { PHONE, PORTRAIT, type Shown, type State, WIDE, write } from "./state.ts";

const thirds = (tap: number) => 0.5 * (tap % 3);
const refuse = ({ lens }: Shown) =>
  lens.report("Kernels not replaced", "Expected 4 kernels of 16 values each (4×4×1).");

export const CONDITIONS: readonly State[] = [
  {
    // What a host hands over before Python has sent a filter.
    name: "empty",
    ...WIDE,
    options: { ...PORTRAIT, ready: false },
    silent: "always",
    before: ({ traits }) => {
      traits._filters = { generation: 0, filters: [] };
    },
  },
  { name: "loading Keras", ...WIDE, options: { ...PORTRAIT, ready: false } },
  {
    name: "no map, not previewable",
    ...WIDE,
    options: { ...PORTRAIT, ready: false, settings: { activation: "custom", previewable: false } },
  },
  { name: "busy", ...WIDE, options: PORTRAIT, silent: true, act: ({ lens }) => lens.pin([37, 25]) },
  {
    name: "preview",
    ...WIDE,
    options: PORTRAIT,
    silent: true,
    act: ({ lens }) => write(lens, 1, thirds),
  },
  {
    name: "stale",
    ...WIDE,
    options: { ...PORTRAIT, settings: { activation: "relu", previewable: false } },
    silent: true,
    act: ({ lens }) => write(lens, 1, thirds),
  },
  { name: "refused", ...WIDE, options: PORTRAIT, act: refuse },
  { name: "refused, dark", ...WIDE, theme: "dark", options: PORTRAIT, act: refuse },
  { name: "refused, narrow", ...PHONE, options: PORTRAIT, act: refuse },
  {
    name: "note",
    ...WIDE,
    options: PORTRAIT,
    before: ({ traits }) => {
      traits._problem = {
        tone: "note",
        id: 1,
        title: "Colour became luminance",
        text: "The layer reads one channel.",
      };
    },
  },
  {
    name: "Keras failed",
    ...WIDE,
    options: { ...PORTRAIT, ready: false },
    before: ({ traits }) => {
      traits._status = { keras: "failed", detail: "ImportError: No module named 'tensorflow'" };
    },
  },
  {
    name: "error in Keras",
    ...WIDE,
    options: { ...PORTRAIT, settings: { previewable: false } },
    silent: true,
    before: ({ traits }) => {
      const text = "ValueError: Input 0 of layer conv2d is incompatible with the layer.\n".repeat(8);
      traits._problem = { id: 1, title: "Keras raised an error; the last maps are shown", text };
    },
    act: ({ lens }) => write(lens, 2, thirds),
  },
  {
    name: "connection lost",
    ...WIDE,
    options: PORTRAIT,
    before: ({ model }) => {
      const connection = new FakeConnection(model);
      model.on("play:lost", () => connection.become("connecting"));
    },
    silent: true,
    act: ({ lens, model }) => {
      model.trigger("play:lost");
      write(lens, 1, thirds);
    },
  },
  {
    name: "closed",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens, model }) => {
      model.trigger("comm:close");
      lens.pin([37, 25]);
    },
  },
  {
    name: "closed, dark",
    ...WIDE,
    theme: "dark",
    options: PORTRAIT,
    before: ({ model }) => {
      const connection = new FakeConnection(model);
      model.on("play:dead", () => connection.say("dead"));
    },
    act: ({ lens, model }) => {
      model.trigger("play:dead");
      write(lens, 1, thirds);
    },
  },
  {
    name: "saved page",
    ...WIDE,
    options: PORTRAIT,
    before: ({ traits, model }) => {
      model.deliver = () => {
        throw new Error("This page has no Python behind it.");
      };
      traits._saved = {
        input: null,
        predictions: null,
        outputs: [],
        snapshots: [],
        excited: [],
        held: "",
        left_out:
          "Left out of this page, which would be larger than 20 MB: 3 of 8 snapshots of the training.",
      };
    },
    act: ({ lens }) => write(lens, 1, thirds),
  },
  {
    name: "no numbers",
    ...WIDE,
    options: PORTRAIT,
    act: ({ lens }) => {
      write(lens, 0, (tap) => (tap === 5 ? Number.NaN : 1));
      write(lens, 1, (tap) => 3e38 * (tap - 7));
      write(lens, 2, () => 0);
    },
  },
];
