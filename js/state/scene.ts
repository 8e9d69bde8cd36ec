/** What all maps are drawn from: the layer, its input, the stage that is shown and whether it is being compared. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { planeMagnitude } from "../maths/linear-update.ts";
import type { Picture, Planar } from "../paint/drawable.ts";
import type { Planes } from "../preview/full-preview.ts";
import { type Bytes, floatsOf } from "../protocol/bytes.ts";
import type { Geometry, ImageRecord, Stage } from "../protocol/records.ts";
import type { FilterState } from "./filter.ts";
import type { FilterList } from "./filter-list.ts";
import { readPicture } from "./image.ts";

export class Scene {
  readonly picture: Signal<Picture>;
  /** What a page brought of the input of a layer inside a model: the page opens no other layer. */
  readonly #saved: Planes | null;
  #planes: { of: Picture; planes: Planes } | null = null;

  constructor(
    image: ImageRecord,
    private readonly list: FilterList,
    private readonly shownStage: ReadonlySignal<Stage>,
    readonly isComparing: Signal<boolean>,
    input: Bytes | null = null,
  ) {
    this.picture = signal(readPicture(image));
    this.#saved = input && planesOf(savedPlanes(input, this.geometry.input_shape[2]));
  }

  get filters(): readonly FilterState[] {
    return this.list.list.peek();
  }

  get geometry(): Geometry {
    return this.list.geometry;
  }

  get stage(): Stage {
    return this.shownStage.peek();
  }

  get comparing(): boolean {
    return this.isComparing.peek();
  }

  /** The layer's input, where the browser has it: the picture, of the version that the layer is fed, or what a page brought. */
  get planes(): Planes | null {
    const picture = this.picture.peek();
    const { geometry, image_is_input, image_version } = this.list.state.peek();
    if (!image_is_input) return this.#saved;
    if (picture.record.version !== image_version || !picture.whole) return null;
    if (String(geometry.input_shape) !== String(picture.record.shape)) return null;
    if (this.#planes?.of !== picture) this.#planes = { of: picture, planes: planesOf(picture.whole) };
    return this.#planes.planes;
  }

  readImage(image: ImageRecord): void {
    if (image !== this.picture.peek().record) this.picture.value = readPicture(image);
  }
}

function savedPlanes(input: Bytes, channels: number): Pick<Planar, "plane"> {
  const all = floatsOf(input);
  const size = all.length / channels;
  return { plane: (channel) => all.subarray(channel * size, (channel + 1) * size) };
}

function planesOf(picture: Pick<Planar, "plane">): Planes {
  const magnitudes = new Map<number, number>();
  return {
    plane: (channel) => picture.plane(channel),
    magnitude(channel) {
      const known = magnitudes.get(channel) ?? planeMagnitude(picture.plane(channel));
      magnitudes.set(channel, known);
      return known;
    },
  };
}
