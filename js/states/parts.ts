/** What opens on a press, a cell in hand, and the tabs below the cards. */

import type { Explained } from "../state/lens-view.ts";
import {
  drawn,
  find,
  PHONE,
  PORTRAIT,
  press,
  type Shown,
  type State,
  scrollTo,
  TALL,
  WIDE,
} from "./state.ts";

/** The tab that is open below the cards. */
const tab =
  (explained: Explained) =>
  ({ lens, box }: Shown): Promise<void> => {
    lens.explained.value = explained;
    return scrollTo(box, ".cl-strip");
  };

const display = ({ box }: Shown) => press(box, "display: what is shown and how");
const help = ({ box }: Shown) => find(box, ".cl-state .cl-opens > button").click();
const menu = ({ box }: Shown) => press(box, "Operations on Filter 2");

/** Type into a cell of the first kernel. */
async function open({ box }: Shown, text: string): Promise<void> {
  const key = (target: Element, name: string) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const cell = find(box, "[role=gridcell]");
  cell.focus();
  await drawn();
  key(cell, "Enter");
  await drawn();
  const field = find<HTMLInputElement>(box, ".cl-kgrid input");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  key(field, "Enter");
}

export const PARTS: readonly State[] = [
  { name: "shapes", ...WIDE, options: PORTRAIT, act: tab("shapes") },
  { name: "shapes, narrow", ...PHONE, options: PORTRAIT, act: tab("shapes") },
  { name: "layer", ...WIDE, options: PORTRAIT, act: tab("layer") },
  { name: "kernel", ...WIDE, options: PORTRAIT, act: tab("kernel") },
  { name: "export", ...WIDE, options: PORTRAIT, act: tab("export") },
  {
    name: "this pixel",
    ...TALL,
    options: PORTRAIT,
    act: (shown) => {
      shown.lens.pin([37, 25]);
      return scrollTo(shown.box, ".cl-strip");
    },
  },
  {
    name: "this pixel, dark, at the border",
    ...WIDE,
    theme: "dark",
    options: { ...PORTRAIT, settings: { padding: "same" } },
    act: (shown) => {
      shown.lens.pin([0, 25]);
      return scrollTo(shown.box, ".cl-strip");
    },
  },
  {
    name: "this pixel, narrow",
    ...PHONE,
    options: PORTRAIT,
    act: (shown) => {
      shown.lens.pin([37, 25]);
      return scrollTo(shown.box, ".cl-strip");
    },
  },
  { name: "help", ...WIDE, options: PORTRAIT, act: help },
  { name: "display", width: 800, height: 599, options: PORTRAIT, act: display },
  { name: "display, narrow, dark", ...PHONE, theme: "dark", options: PORTRAIT, act: display },
  { name: "operations on a filter", ...WIDE, options: PORTRAIT, alone: true, act: menu },
  {
    name: "presets",
    ...WIDE,
    options: PORTRAIT,
    alone: true,
    act: async (shown) => {
      menu(shown);
      await drawn();
      press(shown.box, "Presets…");
    },
  },
  {
    name: "scale",
    ...WIDE,
    theme: "dark",
    options: PORTRAIT,
    alone: true,
    act: async (shown) => {
      menu(shown);
      await drawn();
      press(shown.box, "Scale…");
    },
  },
  {
    name: "kernel unfolded, narrow",
    ...PHONE,
    options: PORTRAIT,
    act: async ({ box }) => {
      press(box, "Kernel");
      await scrollTo(box, ".cl-card");
    },
  },
  {
    name: "cell in hand",
    ...WIDE,
    options: PORTRAIT,
    alone: true,
    act: ({ box }) => find(box, "[role=gridcell]").focus(),
  },
  { name: "cell refused", ...WIDE, options: PORTRAIT, alone: true, act: (shown) => open(shown, "abc") },
];
