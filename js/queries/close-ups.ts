/**
 * Large maps at the size at which they are on screen, requested when the view rests. Until then the coarse map is
 * drawn.
 */
import { type Signal, signal } from "@preact/signals";
import type { Clock } from "../connection/request-queue.ts";

import type { CloseUp } from "../paint/drawable.ts";
import { type Grid, isWhole, type Size } from "../paint/grid.ts";
import type { MapRecord, Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import type { Asker } from "./ask.ts";
import { AskedCache } from "./asked-cache.ts";

const MEMORY = 16 * 2 ** 20;
const REST_MS = 120;
/** A smaller view of the same lens does not take the larger one's resolution, unless it is this much smaller. */
const SMALLER = 2 / 3;

interface Wanted {
  key: string;
  rev: number;
  grid: Grid;
}

export class CloseUps {
  /** Grows when one comes. */
  readonly arrived: Signal<number> = signal(0);
  readonly #kept = new AskedCache<string, CloseUp>(MEMORY, ({ map }) => map.levels.byteLength);
  /** What each filter's picture needs now. */
  readonly #wanted = new Map<Uid, Wanted>();
  /** Rows and columns of a whole map that were reported to Python, and those to be reported. */
  #told: [number, number] = [0, 0];
  #tell: [number, number] | null = null;
  #cancel: () => void = () => {};

  constructor(
    private readonly channel: { push(request: Request): void },
    private readonly queries: Asker,
    private readonly schedule: Clock,
  ) {}

  /** What a map is drawn from on this grid: null where it is the map that Python sent by itself. `about`: how it is drawn. */
  find(
    { uid, rev }: { uid: Uid; rev: number },
    about: unknown,
    map: MapRecord,
    grid: Grid,
    size: Size,
  ): CloseUp | null {
    const whole = isWhole(grid, size);
    if (whole && this.#differs(grid.shape)) {
      this.#tell = grid.shape;
      this.#rest();
    }
    const key = JSON.stringify([uid, rev, about, grid]);
    const fits = whole && String(grid.shape) === String(map.shape);
    const found = fits ? null : this.#kept.peek(key);
    if (fits || found || this.#kept.isOnTheWay(key)) this.#wanted.delete(uid);
    else {
      this.#wanted.set(uid, { key, rev, grid });
      this.#rest();
    }
    return found ?? null;
  }

  forget(): void {
    this.#kept.forget();
    this.#wanted.clear();
  }

  /** Python may be a new one, which has been told nothing yet. */
  retell(): void {
    this.#told = [0, 0];
    this.#kept.retry();
  }

  dispose(): void {
    this.#cancel();
  }

  #differs([rows, cols]: readonly [number, number]): boolean {
    const share = (rows * cols) / (this.#told[0] * this.#told[1]);
    return share > 1 || share < SMALLER;
  }

  #rest(): void {
    this.#cancel();
    this.#cancel = this.schedule.after(REST_MS, () => this.#send());
  }

  #send(): void {
    if (this.#tell) {
      this.channel.push({ type: "screen", shape: this.#tell });
      this.#told = this.#tell;
      this.#tell = null;
    }
    for (const [uid, one] of this.#wanted) void this.#ask(uid, one);
    this.#wanted.clear();
  }

  async #ask(uid: Uid, { key, rev, grid }: Wanted): Promise<void> {
    const slot = this.#kept.ask(key);
    if (!slot) return;
    try {
      const { part, shape } = grid;
      const { close_up } = await this.queries.ask({ type: "close_up", uid, window: part, shape });
      // Other weights have another map, which Python sends by itself.
      if (!close_up?.map || close_up.rev !== rev) return;
      slot.keep({ grid: { part, shape: close_up.map.shape }, map: close_up.map });
      this.arrived.value++;
    } catch {
      // The coarse map stays; the next time it is drawn, Python is asked again.
    } finally {
      slot.release();
    }
  }
}
