/** The input image: its pixels, what was done to it, and how to choose another one. */
import { useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { drawnWindow } from "../../maths/geometry.ts";
import { formatNumber } from "../../maths/numbers.ts";
import { Flag } from "../../paint/colors.ts";
import { paintSignal } from "../../paint/curve.ts";
import type { Size, SourceWindow } from "../../paint/grid.ts";
import { bufferedPaint } from "../../paint/paint.ts";
import { GRAY, paletteOf } from "../../paint/palette.ts";
import { paintPicture, shownAs } from "../../paint/picture.ts";
import { outputAt, type Pixel, placeOutput, placeOver, type View } from "../../paint/viewport.ts";
import { messageOf } from "../../queries/ask.ts";
import { fitsPage } from "../../queries/image-pixels.ts";
import type { LensView } from "../../state/lens-view.ts";
import { Button } from "../ui/Button.tsx";
import { ColorBar } from "../ui/ColorBar.tsx";
import { consume } from "../ui/consume.ts";
import { Icon } from "../ui/icons.tsx";
import { placeWords, shortSize, sizeWords, spanWords, times } from "../ui/wording.ts";
import { AttributionMark } from "./AttributionMark.tsx";
import { decodeImage, imageFile } from "./decode.ts";
import { Swatch } from "./Legend.tsx";
import { DeepFieldMark, PixelMark, WindowMark } from "./marks.tsx";
import { aspect, PictureFrame } from "./PictureFrame.tsx";
import { fieldWords, pinnedField } from "./pinnedField.ts";
import { probeOf } from "./probe.ts";
import { Readout } from "./Readout.tsx";

/** The pixel of an image that lies at the same share of its height and width. */
function along({ row, col }: Pixel, [mapRows, mapCols]: readonly [number, number], image: Size): Pixel {
  const at = (index: number, from: number, to: number) => Math.floor(((index + 0.5) / from) * to);
  return { row: at(row, mapRows, image.rows), col: at(col, mapCols, image.cols) };
}

const CHANNELS: Record<number, string> = { 1: "grey", 3: "RGB", 4: "RGBA" };

export function InputImage({ lens }: { lens: LensView }) {
  const palette = useMemo(() => paletteOf(GRAY), []);
  const draw = useMemo(bufferedPaint, []);
  const shown = useComputed(() => shownAs(lens.picture.value));
  const over = useSignal(false);
  const note = useSignal<{ rows: number; cols: number; text: string } | null>(null);

  const picture = lens.picture.value;
  const { rows, cols, channels, record } = picture;
  const geometry = lens.geometry.value;
  const signal = record.signal;
  const ranked = { rank: signal ? 1 : 2 } as const;
  const placed = lens.imageIsInput.value ? placeOutput(geometry) : null;

  const paint = (context: CanvasRenderingContext2D, window: SourceWindow) =>
    signal
      ? paintSignal(context, window, lens.picture.peek(), shown.peek().range)
      : draw(context, (target) => paintPicture(target, window, lens.picture.peek(), shown.peek(), palette));

  const outputOf = (pixel: Pixel): Pixel | null => placed && outputAt(geometry, placed, pixel);

  const locate = (output: Pixel): Pixel => {
    // Inside a model maps lie over the whole image, whatever their size.
    if (!placed) return along(output, geometry.output_shape, picture);
    const field = drawnWindow(geometry, output.row, output.col);
    const middle = (along: number[]) => along[Math.floor(along.length / 2)] ?? 0;
    return { row: middle(field.rows), col: middle(field.cols) };
  };

  const marks = (view: View) => {
    const pinned = lens.pixel.value;
    const hover = lens.hover.value;
    const under = lens.hoverInput.value;
    const field = pinnedField(lens);
    return (
      <>
        <AttributionMark lens={lens} view={view} />
        {placed && pinned && (
          <WindowMark view={view} {...drawnWindow(geometry, pinned[0], pinned[1])} kind="pin" />
        )}
        {placed && hover && (
          <WindowMark view={view} {...drawnWindow(geometry, hover.row, hover.col)} kind="hover" />
        )}
        {field && <DeepFieldMark view={view} field={field} />}
        {under && <PixelMark view={view} pixel={under} kind="hover" />}
      </>
    );
  };

  const replace = async (file: File | null) => {
    if (!file) return;
    try {
      const { shape, data, note: text } = await decodeImage(file);
      note.value = text ? { rows: shape[0], cols: shape[1], text } : null;
      lens.setImage(shape, data);
    } catch (error) {
      lens.report("This image cannot be read", messageOf(error));
    }
  };

  const range = shown.value.range;
  // If the image has been replaced from Python, the note is about another picture.
  const scaled = note.value?.rows === rows && note.value.cols === cols ? [note.value.text] : [];
  const field = pinnedField(lens);
  const words = field && fieldWords(field, picture, ranked);
  const depends = words ? `. The pinned pixel depends on ${words}` : "";
  const told = [geometry.note, field?.note ?? ""].filter(Boolean);
  const through = record.through ?? [];
  const notes = [...scaled, ...record.notes, ...reducedNote(lens), ...told];
  return (
    <figure
      class="cl-figure cl-image"
      data-version={record.version}
      data-drop={over}
      data-curve={signal || undefined}
      style={aspect({ rows, cols, curve: signal })}
      onDragOver={(event) => {
        if (signal || !event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        if (signal || !event.dataTransfer?.types.includes("Files")) return;
        consume(event);
        over.value = false;
        void replace(imageFile(event.dataTransfer));
      }}
      onPaste={(event) => {
        const file = imageFile(event.clipboardData);
        if (!file || signal) return;
        consume(event);
        void replace(file);
      }}
    >
      <figcaption class="cl-caption">
        <span>
          input <span class="cl-number cl-muted">{shortSize(ranked, rows, cols)}</span>{" "}
          <span class={signal && channels > 1 ? "cl-muted" : "cl-hidden"}>
            {(!signal && CHANNELS[channels]) || `${channels} ${channels === 1 ? "channel" : "channels"}`}
          </span>
        </span>
        {!signal && (
          <label class="cl-button cl-outlined cl-file">
            <Icon name="picture" />
            <span class="cl-replace">replace</span>
            <input
              type="file"
              accept="image/*"
              class="cl-hidden"
              aria-label="Replace the input image by a file"
              onChange={(event) => {
                const input = event.currentTarget;
                void replace(input.files?.[0] ?? null);
                input.value = "";
              }}
            />
          </label>
        )}
      </figcaption>
      <PictureFrame
        lens={lens}
        where={() => {
          const { rows, cols, record } = lens.picture.value;
          return { size: { rows, cols, curve: record.signal }, place: placeOver({ rows, cols }) };
        }}
        label={`Input ${signal ? "signal" : "image"}, ${sizeWords(ranked, rows, cols)}, ${channels} channels${depends}`}
        watch={() => {
          lens.picture.value;
          shown.value;
        }}
        drawn={() => (signal ? null : lens.picture.peek().drawn)}
        paint={paint}
        hover={(pixel) => {
          lens.hoverInput.value = pixel;
          lens.hover.value = pixel && outputOf(pixel);
        }}
        pick={(pixel) => {
          const output = outputOf(pixel);
          const pinned = lens.pixel.peek();
          if (!output) return;
          lens.pin(pinned?.[0] === output.row && pinned[1] === output.col ? null : [output.row, output.col]);
        }}
        locate={locate}
        marks={marks}
      >
        <ImageReadout lens={lens} />
      </PictureFrame>
      <div class="cl-legend">
        {shown.value.kind === "gray" && <ColorBar table={GRAY} />}
        <div class="cl-legend-range">
          {shown.value.kind !== "color" && <span class="cl-number">{formatNumber(range[0])}</span>}
          <span
            class="cl-muted cl-rangewords"
            data-short={{ gray: "grey", curve: "range", color: shown.value.text }[shown.value.kind]}
          >
            {shown.value.text}
          </span>
          {shown.value.kind !== "color" && <span class="cl-number">{formatNumber(range[1])}</span>}
        </div>
        {shown.value.notFinite > 0 && (
          <ul class="cl-odd">
            <li>
              <Swatch flag={Flag.nan} palette={palette} />
              {shown.value.notFinite} NaN or infinite
            </li>
          </ul>
        )}
      </div>
      {(notes.length > 0 || through.length > 0) && (
        <ul class="cl-notes">
          {through.length > 0 && (
            <li>
              <Trail lens={lens} through={through} />
            </li>
          )}
          {notes.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </figure>
  );
}

/** The filters that the input went through, and the way back to any of what they were fed. */
function Trail({ lens, through }: { lens: LensView; through: readonly string[] }) {
  const last = through.length - 1;
  const start = lens.picture.value.record.signal ? "the signal" : "the image";
  const maps = through.map((name) => `map of ${name}`);
  return (
    <nav class="cl-trail" aria-label="What the input went through">
      {[start, ...maps.slice(0, last)].map((name, i) => (
        <>
          <Button onClick={() => lens.leaveMap(last + 1 - i)}>
            {i === last && <Icon name="back" />}
            {name}
          </Button>
          <span aria-hidden="true">›</span>
        </>
      ))}
      <strong aria-current="true">{maps[last]}</strong>
    </nav>
  );
}

/** That the image is drawn from fewer pixels than it has, and what that means for edits. */
function reducedNote({ picture, imageIsInput }: LensView): string[] {
  const { record, drawn, whole } = picture.value;
  if (!record.reduced) return [];
  const waits = imageIsInput.value && !whole;
  const reason = fitsPage(picture.value)
    ? "until all pixels have arrived"
    : "because the image is too large to keep here";
  return [
    `Drawn at ${times(drawn.rows, drawn.cols)}, averaged.${waits ? ` Edits wait for Keras, ${reason}.` : ""}`,
  ];
}

/** The value under the pointer, or the rows and columns that the output pixel being read out is computed from. */
function ImageReadout({ lens }: { lens: LensView }) {
  const under = lens.hoverInput.value;
  const probe = probeOf(lens);
  const ranked = { rank: lens.picture.value.record.signal ? 1 : 2 } as const;
  if (under) {
    const values = lens.imageAt(under.row, under.col)?.map((value) => formatNumber(value, 7)) ?? ["…"];
    return (
      <Readout pinned={false}>{`${placeWords(ranked, under.row, under.col)}: ${values.join("  ")}`}</Readout>
    );
  }
  if (!lens.imageIsInput.value) {
    const field = pinnedField(lens);
    const words = field && fieldWords(field, lens.picture.value, ranked);
    return <Readout pinned={words !== null}>{words}</Readout>;
  }
  if (!probe) return <Readout pinned={false}>{null}</Readout>;
  const { rows, cols } = drawnWindow(lens.geometry.value, probe.pixel.row, probe.pixel.col);
  if (rows.length === 0 || cols.length === 0)
    return <Readout pinned={probe.pinned}>no input pixel spreads to here</Readout>;
  const ends = (indices: number[]) => [indices[0] ?? 0, indices.at(-1) ?? 0] as const;
  return <Readout pinned={probe.pinned}>{spanWords(ranked, ends(rows), ends(cols))}</Readout>;
}
