/** What a filter lacks of what is drawn: its numbers, or Keras's map of the stage that is shown. */
import type { ReadonlySignal } from "@preact/signals";
import type { Channel } from "../connection/channel.ts";
import type { Stage, Status, Uid } from "../protocol/records.ts";
import type { VisibleFiltersEvents } from "../queries/visible-filters.ts";
import type { FilterState } from "./filter.ts";
import type { FilterList } from "./filter-list.ts";

export class MissingRecords implements VisibleFiltersEvents<FilterState> {
  constructor(
    private readonly channel: Channel,
    private readonly filters: FilterList,
    private readonly stage: ReadonlySignal<Stage>,
    private readonly status: ReadonlySignal<Status>,
  ) {}

  /** While Keras loads, a filter needs its numbers alone: Python sends the map when it is computed. */
  lacks(filter: FilterState): string | null {
    if (this.channel.offline) return null;
    const stage = this.stage.peek();
    const map = filter.keras(filter.confirmed);
    if (filter.known && (map?.stage === stage || this.status.peek().keras !== "ready")) return null;
    return `${this.filters.state.peek().generation}/${stage}/${filter.rev}/${filter.expiries}`;
  }

  idle(): boolean {
    return this.channel.link.peek() === "idle";
  }

  size(): number {
    const { output_shape, kernel_size, kernel_channels } = this.filters.geometry;
    return output_shape[0] * output_shape[1] + 4 * kernel_size[0] * kernel_size[1] * kernel_channels;
  }

  ask(uids: Uid[]): void {
    this.channel.push({ type: "need", uids });
  }
}
