/** The shape ledger: where every axis goes on its way from a picture to the maps, with the numbers of this lens. */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { type Axis, kindOf } from "../../../maths/kinds.ts";
import { biasCode, inputCode, kernelCode, layerCode } from "../../../maths/layer-code.ts";
import { formatCell, magnitude } from "../../../maths/numbers.ts";
import {
  batchShape,
  imageShape,
  kernelShape,
  lengthFormula,
  outputShape,
  reshapeTrap,
  type Shape,
  weightShape,
} from "../../../maths/shape-axes.ts";
import { GRAY } from "../../../paint/palette.ts";
import type { Geometry } from "../../../protocol/records.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { Button } from "../../ui/Button.tsx";
import { cellColors, toneOf, tonesOf } from "../../ui/cellColors.ts";
import { cellSize } from "../../ui/cellSize.ts";
import { Formula } from "../../ui/Formula.tsx";
import { Heat, type Tap } from "../../ui/Heat.tsx";
import { BorderJump } from "../BorderJump.tsx";

interface LedgerProps {
  lens: LensView;
  /** The axis that stays highlighted. */
  held: Signal<Axis | null>;
}

export function Ledger({ lens, held }: LedgerProps) {
  const copy = lens.geometry.value;
  const own = lens.own.value;
  const fits = own !== null && takes(own, copy);
  // What is explained is the user's own layer, where its weights are some of the kernels that are here.
  const geometry = fits ? own : copy;
  const { input_shape, filters, use_bias, pads, padding } = geometry;
  const first = Math.min(lens.selected.value, copy.filters - filters);
  const biases = lens.filters.value.slice(first, first + filters).map(({ bias }) => bias.value);
  const channels = input_shape[2];
  const input = batchShape(geometry, input_shape, channels, "channels");
  const weights = weightShape(geometry);
  const isInput = lens.imageIsInput.value;
  const thing = lens.network.vector.value ? "vector" : geometry.rank === 1 ? "signal" : "picture";
  const axes = (shape: Shape) => <Axes shape={shape} held={held} />;
  const sizes = (shape: Shape) => shape.map(({ size }) => size);
  const stacks = geometry.kind === "conv" && geometry.groups === 1;
  const one = stacks ? oneFilter(geometry) : geometry;
  const kernel = kernelCode(geometry, first, copy.filters);
  const made = own ? !fits : copy.builtin;
  return (
    <>
      <p class="cl-muted">Point at an axis, or press it, to light it up everywhere.</p>
      {own && <p>{fits ? ownWords(own, copy) : otherWords(own, copy)}</p>}
      <ol class="cl-ledger">
        <Step
          title={geometry.rank === 1 ? "Signal" : "Image"}
          shapes={
            isInput ? (
              <>
                {axes(imageShape(geometry))} <Arrow /> {axes(input)}
              </>
            ) : (
              axes(input)
            )
          }
          code={isInput ? [inputCode(geometry, sizes(input))] : []}
        >
          {isInput
            ? `Keras takes a batch of ${thing}s, each with channels: one ${thing} is a batch of 1, and ${
                channels !== 1 || thing === "signal"
                  ? `this one has ${channels} ${channels === 1 ? "channel" : "channels"}`
                  : "grey is 1 channel"
              }.`
            : `What the layers before this one make of the ${thing}: a batch of 1.`}
        </Step>
        <Step
          title="Kernels"
          shapes={
            <>
              {axes(kernelShape(geometry))} <Arrow /> {axes(weightShape(one))}
              {stacks && filters > 1 && (
                <>
                  <span class="cl-shapenote">and all {filters}</span> <Arrow /> {axes(weights)}
                </>
              )}
            </>
          }
          code={kernel ? [kernel] : []}
        >
          <b>Why {one.weight_shape.join(" × ")}?</b> {whyShape(one)}
          {stacks &&
            filters > 1 &&
            ` The ${filters} filters of this layer lie side by side along the last axis: ${geometry.weight_shape.join(" × ")}.`}
        </Step>
        <Step
          title="Weights"
          shapes={
            <>
              {axes(weights)}
              {use_bias && <> and {axes([{ axis: "filters", size: filters, name: "filters" }])}</>}
            </>
          }
          code={[
            ...(made ? [layerCode(geometry), "layer.build(x.shape)"] : []),
            ...(kernel && use_bias ? [biasCode(biases, first, copy.filters)] : []),
            kernel
              ? `layer.set_weights([kernel${use_bias ? ", bias" : ""}])`
              : "layer.set_weights(lens.get_weights())",
          ]}
        >
          <b>Why set weights?</b> A new layer starts from random kernels; these are put in their place, and no
          training is needed.
        </Step>
        <Step
          title="Maps"
          shapes={
            <>
              {axes(input)} <Arrow /> {axes(outputShape(geometry))}
            </>
          }
          code={["maps = layer(x)"]}
        >
          {geometry.rank !== 1 && <Length geometry={geometry} i={0} />}
          <Length geometry={geometry} i={1} />
          {padding !== "valid" && Math.max(...pads) > 0 && (
            <p>
              {geometry.rank === 1
                ? `Zeros around the signal: ${pads[2]} before, ${pads[3]} after.`
                : `Zeros around the image: ${pads[0]} above, ${pads[1]} below, ${pads[2]} left, ${pads[3]} right.`}{" "}
              <BorderJump lens={lens} />
            </p>
          )}
        </Step>
      </ol>
      <Trap lens={lens} />
    </>
  );
}

/** Whether a layer's weights are as many of the lens's kernels as it has filters. */
function takes(own: Geometry, copy: Geometry): boolean {
  return (
    own.kind === "conv" &&
    own.groups === 1 &&
    own.filters <= copy.filters &&
    String(own.kernel_size) === String(copy.kernel_size)
  );
}

const counted = (filters: number) => `${filters} ${filters === 1 ? "filter" : "filters"}`;

function ownWords(own: Geometry, copy: Geometry): string {
  if (own.filters === copy.filters)
    return "These are the shapes of your own layer; other settings are tried on a copy of it.";
  return `These are the shapes of your own layer, which has ${counted(own.filters)}. The lens computes all ${
    copy.filters
  } kernels at once, with a copy of your layer that has as many filters: ${copy.weight_shape.join(" × ")}.`;
}

function otherWords(own: Geometry, copy: Geometry): string {
  const size = ({ kernel_size, rank }: Geometry) => kernel_size.slice(2 - rank).join(" × ");
  return `Your layer has ${counted(own.filters)} of ${size(own)}; the lens has ${copy.filters} of ${size(
    copy,
  )}, and computes with a copy of your layer that has as many of that size. These are the shapes of the copy.`;
}

/** The same layer with one filter. */
function oneFilter(geometry: Geometry): Geometry {
  return { ...geometry, filters: 1, weight_shape: [...geometry.weight_shape.slice(0, -1), 1] };
}

interface StepProps {
  title: string;
  shapes: ComponentChildren;
  /** Lines of Python. */
  code: readonly string[];
  children: ComponentChildren;
}

function Step({ title, shapes, code, children }: StepProps) {
  return (
    <li>
      <strong>{title}</strong>
      <div class="cl-shapes">{shapes}</div>
      {code.length > 0 && <code class="cl-code">{code.join("\n")}</code>}
      <div class="cl-why">{children}</div>
    </li>
  );
}

function Axes({ shape, held }: { shape: Shape; held: Signal<Axis | null> }) {
  return (
    <span class="cl-shape">
      <span class="cl-number">(</span>
      {shape.map(({ axis, size, name }, i) => (
        <>
          <Button
            class="cl-axis"
            data-axis={axis}
            aria-pressed={held.value === axis}
            onClick={() => {
              held.value = held.peek() === axis ? null : axis;
            }}
          >
            <span class="cl-number">{size}</span>
            <small>{name}</small>
          </Button>
          <span class="cl-number">{i < shape.length - 1 ? "," : shape.length === 1 ? ",)" : ")"}</span>
        </>
      ))}
    </span>
  );
}

const Arrow = () => (
  <span class="cl-op" aria-label="becomes" role="img">
    →
  </span>
);

function Length({ geometry, i }: { geometry: Geometry; i: 0 | 1 }) {
  const { letters, numbers } = lengthFormula(geometry, i);
  return (
    <p class="cl-length">
      <Formula of={letters} />
      <Formula of={numbers} />
    </p>
  );
}

function whyShape(geometry: Geometry): string {
  const [rows, cols] = geometry.kernel_size;
  const size = geometry.rank === 1 ? `${cols} steps` : `${rows} rows × ${cols} columns`;
  return kindOf(geometry).whyShape(geometry, `${size} of the kernel`);
}

/** The reshape that runs without an error and gives other filters. */
function Trap({ lens }: { lens: LensView }) {
  const geometry = lens.geometry.value;
  const kernels = lens.filters.value.map(({ kernel }) => kernel.value);
  const whole = kernels.every(({ length }) => length === kernels[0]?.length);
  const trap = whole ? reshapeTrap(geometry, kernels) : null;
  const table = lens.cmapTables.value.get(lens.cmap.value);
  const tones = useMemo(() => tonesOf(table ?? GRAY), [table]);
  const over = useSignal<Tap | null>(null);
  const meant = kernels[0];
  if (!trap || !meant) return null;
  const [rows, cols] = geometry.kernel_size;
  const { kernel_channels: depth } = geometry;
  const most = magnitude(
    meant.map((value, i) => Math.max(Math.abs(value), Math.abs(trap.scrambled[i] ?? 0))),
  );
  const { side, fit } = cellSize(Math.max(cols, 8), 2);
  const plane = (values: Float32Array) => (row: number, col: number) => {
    const value = values[(row * cols + col) * depth] as number;
    return { text: formatCell(value, fit, most), value, colors: cellColors(tones, toneOf(value, most)) };
  };
  const first = depth > 1 ? "kernels[0], channel 0" : "kernels[0]";
  return (
    <details class="cl-details">
      <summary>A trap: np.reshape keeps the shape and scrambles the kernel</summary>
      <p>
        <code class="cl-code cl-wrong">{trap.wrong}</code> has the right shape and raises no error, but reads
        the numbers in the wrong order: {trap.moved} of {trap.of} end up in another place. Axes are moved by{" "}
        <code class="cl-code">{trap.right}</code>
      </p>
      <div class="cl-product">
        <figure>
          <figcaption>{first}, as meant</figcaption>
          <Heat
            label={`${first}, as meant`}
            rows={rows}
            cols={cols}
            side={side}
            cell={plane(meant)}
            over={over}
          />
        </figure>
        <span class="cl-op">≠</span>
        <figure>
          <figcaption>after np.reshape</figcaption>
          <Heat
            label={`${first}, after np.reshape`}
            rows={rows}
            cols={cols}
            side={side}
            cell={plane(trap.scrambled)}
            over={over}
          />
        </figure>
      </div>
    </details>
  );
}
