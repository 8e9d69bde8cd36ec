/** The user's model around the layer: its other layers, its output with and without the edits, and its training. */
import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Schedule } from "../preview/frames.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { PredictionsMessage } from "../protocol/messages.ts";
import type { LayerRecord, TrainingRecord, Traits, Uid } from "../protocol/records.ts";
import type { Asker } from "../queries/ask.ts";
import { SAVED } from "../queries/output-maps.ts";
import type { FilterState } from "./filter.ts";
import type { Predictions } from "./lens-view.ts";

/** The model runs again when no weight has changed for this long. */
export const SETTLE_MS = 250;

const UNKNOWN: Predictions = { before: null, after: null, version: 0, state: "waiting", error: null };

export interface UserModelEvents {
  /** Whether Python can run the model now and has answered all edits. */
  idle(): boolean;
  /** The layer's input may have changed. */
  retrained(): void;
}

export class UserModel {
  readonly layers: Signal<readonly LayerRecord[]>;
  readonly labels: Signal<readonly string[]>;
  readonly training: Signal<TrainingRecord | null>;
  readonly predictions: ReadonlySignal<Predictions>;
  readonly #predictions: Signal<Predictions>;
  /** Rev of each filter that the last question covers. */
  readonly #revs = new Map<Uid, number>();
  /** Answers of the model so far. */
  #version = 0;
  #watched = false;
  #cancel: () => void = () => {};

  constructor(
    private readonly model: AnyModel<Traits>,
    private readonly schedule: Schedule,
    private readonly queries: Asker,
    private readonly events: UserModelEvents,
  ) {
    // A state that was saved by an older version may lack these.
    this.layers = signal(model.get("_layers") ?? []);
    this.labels = signal(model.get("labels") ?? []);
    this.training = signal(model.get("_training") ?? null);
    this.predictions = this.#predictions = signal<Predictions>(UNKNOWN, {
      watched: () => this.#watch(true),
      unwatched: () => this.#watch(false),
    });
  }

  read(name: "_layers" | "labels" | "_training"): void {
    if (name === "_layers") this.layers.value = this.model.get(name);
    else if (name === "labels") this.labels.value = this.model.get(name);
    else {
      this.training.value = this.model.get(name);
      this.events.retrained();
      this.unsettle();
    }
  }

  /** Records came in: where a weight has changed, the model's output may have, too. */
  changed(filters: Iterable<FilterState>): void {
    let news = false;
    for (const { uid, rev } of filters) {
      if (rev > 0 && (this.#revs.get(uid) ?? 0) !== rev) news = true;
      this.#revs.set(uid, rev);
    }
    if (news) this.unsettle();
  }

  /** The output that is shown may not belong to the present weights, layer or image. */
  unsettle(): void {
    const now = this.#predictions.peek();
    if (now.state !== "waiting") this.#predictions.value = { ...now, state: "waiting" };
    this.#arm();
  }

  receive({ predictions, error, note }: PredictionsMessage): void {
    const state = this.#predictions.peek().state === "asked" ? "settled" : "waiting";
    this.#predictions.value = {
      before: predictions && floatsOf(predictions.before),
      after: predictions && floatsOf(predictions.after),
      version: error ? this.#predictions.peek().version : ++this.#version,
      state,
      error: error?.text ?? null,
      note,
    };
  }

  /** Without Python: a page's output, whether it is of the weights that are shown, and the snapshot that is. */
  showSaved(
    saved: Pick<Predictions, "before" | "after"> | null,
    current: boolean,
    shown: number | null,
  ): void {
    const state = current ? "saved" : "outdated";
    this.#predictions.value = saved ? { ...saved, version: SAVED, state, error: null } : UNKNOWN;
    const training = this.training.peek();
    if (training) this.training.value = { ...training, shown };
  }

  #failed(text: string): void {
    this.#predictions.value = { ...this.#predictions.peek(), state: "settled", error: text };
  }

  dispose(): void {
    this.#cancel();
  }

  #watch(on: boolean): void {
    this.#watched = on;
    if (on) this.#arm();
    else this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    const { state } = this.#predictions.peek();
    if (!this.#watched || state !== "waiting" || this.layers.peek().length === 0) return;
    this.#cancel = this.schedule.after(SETTLE_MS, () => {
      if (!this.events.idle()) {
        this.#arm();
        return;
      }
      this.#predictions.value = { ...this.#predictions.peek(), state: "asked" };
      this.queries.ask({ type: "predict" }).catch(({ message }: Error) => this.#failed(message));
    });
  }
}
