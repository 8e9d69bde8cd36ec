/** All states of the lens, each as what the fake host is given and what is done then. */
import { CONDITIONS } from "./conditions.ts";
import { MODELS } from "./models.ts";
import { PARTS } from "./parts.ts";
import { ROOMS } from "./rooms.ts";
import type { State } from "./state.ts";

export const STATES: readonly State[] = [...ROOMS, ...CONDITIONS, ...PARTS, ...MODELS];
