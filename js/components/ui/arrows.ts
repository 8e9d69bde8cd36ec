/** The arrow keys as steps. */

export const ARROWS: Record<string, readonly [down: number, right: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** −1 or 1 for an arrow key among things in a row, by either axis; undefined for other keys. */
export function arrowStep(key: string): number | undefined {
  const arrow = ARROWS[key];
  return arrow && arrow[0] + arrow[1];
}
