/** What was saved with a page for the questions that it cannot ask: the prediction, and the snapshots of a training. */
import { sameWeights, type Weights } from "../preview/full-preview.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { SavedAnswersRecord } from "../protocol/messages.ts";

/** Weights of all filters in list order. */
type All = readonly Weights[];

/** The model's output with the original and with the saved weights; null where it is a picture, which queries/output-maps.ts has. */
interface SavedPrediction {
  before: Float32Array | null;
  after: Float32Array | null;
}

export class SavedAnswers {
  /** Null where the model was not run. */
  readonly prediction: SavedPrediction | null;
  readonly #snapshots: readonly All[];
  readonly #weights: All;

  /** `weights` are those to which everything else in the page belongs. */
  constructor({ predictions, outputs, snapshots }: SavedAnswersRecord, weights: All) {
    this.#weights = weights;
    const vectors = predictions && {
      before: floatsOf(predictions.before),
      after: floatsOf(predictions.after),
    };
    this.prediction = vectors ?? (outputs.length > 0 ? { before: null, after: null } : null);
    this.#snapshots = snapshots.map((one) => {
      const kernels = floatsOf(one.kernels);
      const size = kernels.length / weights.length;
      return [...floatsOf(one.bias)].map((bias, i) => ({
        kernel: kernels.slice(i * size, (i + 1) * size),
        bias,
      }));
    });
  }

  snapshot(index: number): All | undefined {
    return this.#snapshots[index];
  }

  /** The last snapshot of these weights, null where there is none. */
  shown(now: All): number | null {
    const at = this.#snapshots.map((one) => same(one, now)).lastIndexOf(true);
    return at < 0 ? null : at;
  }

  /** Whether these weights are those that were saved. */
  areSaved(now: All): boolean {
    return same(this.#weights, now);
  }
}

function same(one: All, other: All): boolean {
  return one.length === other.length && one.every((weights, i) => sameWeights(weights, other[i] as Weights));
}
