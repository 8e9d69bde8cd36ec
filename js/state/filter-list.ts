/** The filters in order, kept in step with Python's traits and messages. */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { firstChannel } from "../maths/geometry.ts";
import { packNumber } from "../protocol/bytes.ts";
import type { Message } from "../protocol/messages.ts";
import type {
  FilterRecord,
  FilterTable,
  Geometry,
  History,
  LensState,
  MapRecord,
  Uid,
} from "../protocol/records.ts";
import { type CheckedRecord, filterRecord } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { FilterState } from "./filter.ts";
import { rebase } from "./unanswered.ts";

export interface FilterListEvents {
  /** These filters may look different now. */
  changed(filters: readonly FilterState[]): void;
  /** Keras's map of the weights that are shown. */
  confirmed(filter: FilterState, map: MapRecord): void;
  /** Something on the page draws this filter. */
  watched(filter: FilterState): void;
  /** Nothing on the page draws it any more. */
  unwatched(filter: FilterState): void;
}

export class FilterList {
  readonly state: Signal<LensState>;
  readonly names: Signal<readonly string[]>;
  readonly list: Signal<readonly FilterState[]> = signal([]);
  readonly history: Signal<History> = signal({ undo: 0, redo: 0 });
  readonly #known = new Map<Uid, FilterState>();
  /** Messages of a generation whose traits have not come yet. */
  #early: Message[] = [];

  constructor(
    state: LensState,
    names: readonly string[],
    private readonly isComparing: ReadonlySignal<boolean>,
    private readonly channel: { readonly unanswered: readonly Request[]; push(request: Request): void },
    private readonly events: FilterListEvents,
  ) {
    this.state = signal(state);
    this.names = signal(names);
    this.#order(state);
  }

  get(uid: Uid): FilterState | undefined {
    return this.#known.get(uid);
  }

  get geometry(): Geometry {
    return this.state.peek().geometry;
  }

  /** Whether messages wait for traits that have not come. */
  get early(): boolean {
    return this.#early.length > 0;
  }

  /** Take the records that came with the widget's state. */
  load(table: FilterTable | null): void {
    if (!table) return;
    const current = table.generation === this.state.peek().generation;
    this.#adopt(
      table.filters.map((one) => filterRecord(one, "a saved filter")),
      current,
    );
  }

  /** Python's `_state` and `names`, or the browser's own while Python is not connected. */
  setState(state: LensState, names: readonly string[]): void {
    const before = this.state.peek();
    batch(() => {
      this.names.value = names;
      if (state === before) return;
      this.state.value = state;
      const another = !sameMaps(before, state);
      if (another) for (const filter of this.#known.values()) filter.forget(state.geometry);
      this.#order(state);
      if (another) this.events.changed(this.list.peek());
      const due = this.#early.filter(({ generation }) => generation <= state.generation);
      this.#early = this.#early.filter(({ generation }) => generation > state.generation);
      for (const message of due) this.receive(message);
    });
  }

  receive(message: Message): void {
    this.history.value = message.history;
    if (message.filters.length === 0 && !message.outdated?.length) return;
    const { generation } = this.state.peek();
    if (message.generation > generation) {
      this.#early.push(message);
      return;
    }
    this.#adopt(message.filters, message.generation === generation);
    const outdated = message.outdated?.flatMap((uid) => this.#known.get(uid) ?? []) ?? [];
    for (const filter of outdated) filter.expire(this.geometry);
    if (outdated.length > 0) this.events.changed(outdated);
  }

  /** Records of all filters that are known here, for a host that saves the widget's state. */
  records(): FilterRecord[] {
    return this.list
      .peek()
      .filter(({ known }) => known)
      .map((filter) => ({
        uid: filter.uid,
        rev: filter.rev,
        kernel: new DataView(filter.now.kernel.slice().buffer),
        bias: packNumber(filter.now.bias) as FilterRecord["bias"],
        first_channel: filter.firstChannel,
        map: filter.keras(),
      }));
  }

  #create(uid: Uid): FilterState {
    const filter: FilterState = new FilterState(
      uid,
      this.isComparing,
      () => this.events.watched(filter),
      () => this.events.unwatched(filter),
    );
    return filter;
  }

  #order(state: LensState): void {
    const list = state.order.map((uid, index) => {
      const filter = this.#known.get(uid) ?? this.#create(uid);
      filter.readFrom(firstChannel(state.geometry, index));
      this.#known.set(uid, filter);
      return filter;
    });
    const present = new Set(state.order);
    for (const uid of this.#known.keys()) if (!present.has(uid)) this.#known.delete(uid);
    const old = this.list.peek();
    if (old.length !== list.length || list.some((filter, i) => filter !== old[i])) this.list.value = list;
  }

  #adopt(records: readonly CheckedRecord[], current: boolean): void {
    const { geometry } = this.state.peek();
    const changed: FilterState[] = [];
    const missing: Uid[] = [];
    for (const record of records) {
      const filter = this.#known.get(record.uid);
      // A record of an older generation counts only if it is newer than what is known.
      if (!filter || (!current && record.rev <= filter.rev)) continue;
      const taken = filter.adopt(record, geometry, current, (told) =>
        rebase(told, filter.uid, this.channel.unanswered),
      );
      if (!taken) {
        console.warn(`convlens: a kernel of ${record.kernel.byteLength} bytes does not fit the layer`);
        continue;
      }
      if (record.map && !current) missing.push(filter.uid);
      changed.push(filter);
      const map = record.map && filter.keras();
      if (map) this.events.confirmed(filter, map);
    }
    if (changed.length > 0) this.events.changed(changed);
    if (missing.length > 0) this.channel.push({ type: "need", uids: missing });
  }
}

/** Whether maps stay what they are: the same picture through a layer that computes the same from the same kernel. */
function sameMaps(a: LensState, b: LensState): boolean {
  const what = ({ geometry, image_version, image_is_input }: LensState) => {
    const { filters: _filters, weight_shape: _shape, name: _name, ...layer } = geometry;
    return JSON.stringify([layer, image_version, image_is_input]);
  };
  return what(a) === what(b);
}
