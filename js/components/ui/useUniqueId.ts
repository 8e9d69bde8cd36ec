import { useState } from "preact/hooks";

/** An id that no other lens on the page has; Preact's `useId` counts from 0 in each lens. */
export function useUniqueId(): string {
  return useState(() => `cl-${Math.random().toString(36).slice(2, 12)}`)[0];
}
