/** Why nothing plays by itself where the system asks for reduced motion; undefined elsewhere. */
import { useMemo } from "preact/hooks";

export function useStill(): string | undefined {
  const still = useMemo(() => matchMedia("(prefers-reduced-motion: reduce)").matches, []);
  return still ? "Your system asks for reduced motion: go step by step." : undefined;
}
