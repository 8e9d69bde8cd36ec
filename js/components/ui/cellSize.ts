import { createContext } from "preact";
import { useContext } from "preact/hooks";

/**
 * Side of a cell in CSS pixels and the characters that fit into it. 24 is the smallest that a finger or a shaking hand
 * can hit.
 */
export function cellSize(cols: number, planes: number): { side: number; fit: number } {
  if (cols <= 5 && planes === 1) return { side: 46, fit: 5 };
  if (cols <= 7) return { side: 38, fit: 5 };
  if (cols <= 11) return { side: 30, fit: 4 };
  return { side: 24, fit: 4 };
}

/** The side that the lens's arrangement gives to the cells below it; null where each grid has its own. */
export const CellSide = createContext<number | null>(null);

export function useCellSize(cols: number, planes: number): { side: number; fit: number } {
  const side = useContext(CellSide);
  return side === null ? cellSize(cols, planes) : { side, fit: side >= 38 ? 5 : 4 };
}
