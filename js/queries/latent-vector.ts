/** The latent vector that a generator is fed: as Python has it, with the newest edit that it has not answered. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Picture } from "../paint/drawable.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { Request } from "../protocol/requests.ts";

export class LatentVector {
  readonly #asked = signal<Float32Array | null>(null);
  /** Null where the model is fed a picture or a signal. */
  readonly values: ReadonlySignal<Float32Array | null>;

  constructor(
    private readonly channel: { readonly unanswered: readonly Request[] },
    picture: ReadonlySignal<Picture>,
  ) {
    this.values = computed(() => {
      const { record, drawn } = picture.value;
      return record.latent ? (this.#asked.value ?? drawn.plane(0)) : null;
    });
  }

  /** Something was asked of Python, or answered. */
  refresh(): void {
    const asked = this.channel.unanswered.flatMap((one) => (one.type === "vector" ? floatsOf(one.data) : []));
    this.#asked.value = asked.at(-1) ?? null;
  }
}
