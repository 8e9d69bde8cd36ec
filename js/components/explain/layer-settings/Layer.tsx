/** The layer's settings: to change for the lens's own layer, to read for a user's, and to try on a copy of it. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { KNOWN } from "../../../maths/activations.ts";
import { extent, outputLength } from "../../../maths/geometry.ts";
import { kindOf } from "../../../maths/kinds.ts";
import { layerCode } from "../../../maths/layer-code.ts";
import type { Geometry } from "../../../protocol/records.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { resizeAll } from "../../filter/filterActions.ts";
import { Button } from "../../ui/Button.tsx";
import { NumberField } from "../../ui/NumberField.tsx";
import { Select } from "../../ui/Select.tsx";
import { BorderJump } from "../BorderJump.tsx";

export function Layer({ lens }: { lens: LensView }) {
  const geometry = lens.geometry.value;
  const own = lens.own.value;
  const mine = own ?? geometry;
  return (
    <>
      <code class="cl-code">{layerCode(mine)}</code>
      <p>{numberWords(mine)}</p>
      {geometry.path !== "" ? (
        <p class="cl-muted">
          This layer is part of your model, whose other layers take its maps as they are, so its settings
          cannot be changed here. Give the lens this layer alone, as layer=, to try others on a copy.
        </p>
      ) : geometry.builtin ? (
        <Controls lens={lens} />
      ) : (
        <OnCopy lens={lens} own={mine} />
      )}
    </>
  );
}

/** How many numbers a layer holds, and what it makes of its input. */
function numberWords(geometry: Geometry): string {
  const { kernel_size, kernel_channels, filters, use_bias, input_shape, output_shape, rank } = geometry;
  const size = (sizes: readonly number[]) => sizes.slice(2 - rank).join(" × ");
  const many = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const weights = geometry.weight_shape.reduce((a, b) => a * b, 1) + (use_bias ? filters : 0);
  const channels = kernel_channels > 1 ? ` over ${kernel_channels} channels` : "";
  const bias = use_bias ? ` and ${filters} ${filters === 1 ? "bias" : "biases"}` : ", no bias";
  // A separable layer has the weights of a second kernel as well.
  const sum = kindOf(geometry).editedByParts ? "" : `: ${many(weights, "number")}`;
  return `${many(filters, "filter")} of ${size(kernel_size)}${channels}${bias}${sum}. An input of ${size(
    input_shape.slice(0, 2),
  )} gives maps of ${size(output_shape)}.`;
}

const SETTINGS = ["strides", "padding", "dilation_rate", "activation"] as const;

/** Other settings for a copy of the user's layer, which itself stays as it is. */
function OnCopy({ lens, own }: { lens: LensView; own: Geometry }) {
  const trying = useSignal(false);
  const geometry = lens.geometry.value;
  const tried = SETTINGS.filter((name) => String(geometry[name]) !== String(own[name]));
  const offline = lens.link.value === "offline" ? "Python is not connected: this needs Keras." : null;
  if (!trying.value && tried.length === 0)
    return (
      <>
        <p class="cl-muted">This layer is yours, and stays as it is.</p>
        <Button
          disabled={offline !== null}
          title={offline ?? undefined}
          onClick={() => {
            trying.value = true;
          }}
        >
          Try other settings on a copy
        </Button>
      </>
    );
  return (
    <>
      <p>
        Your layer stays as it is. The maps are those of a copy:{" "}
        <code class="cl-code">{layerCode(geometry)}</code>
      </p>
      <Controls lens={lens} />
      <Button
        onClick={() => {
          trying.value = false;
          if (tried.length > 0) lens.configure(Object.fromEntries(tried.map((name) => [name, own[name]])));
        }}
      >
        Back to your layer's settings
      </Button>
    </>
  );
}

/** Why a change is not possible: what Keras, or arithmetic, forbids. */
function refusal(geometry: Geometry, changes: Partial<Geometry>): string | null {
  const next = { ...geometry, ...changes };
  const { strides, dilation_rate, kernel_size, input_shape, padding } = next;
  if (Math.max(...strides) > 1 && Math.max(...dilation_rate) > 1) {
    return `Keras allows only one of strides and dilation to be greater than 1, and ${
      changes.strides
        ? `the dilation is ${dilation_rate.slice(2 - geometry.rank).join(" × ")}`
        : `the strides are ${strides.slice(2 - geometry.rank).join(" × ")}`
    }.`;
  }
  for (const i of [0, 1] as const) {
    if (outputLength(input_shape[i], kernel_size[i], strides[i], dilation_rate[i], padding) < 1) {
      return `The kernel would span ${extent(kernel_size[i], dilation_rate[i])} ${geometry.rank === 1 ? "steps" : i ? "columns" : "rows"}, and the ${
        geometry.rank === 1 ? "signal" : "image"
      } has ${input_shape[i]}.`;
    }
  }
  return null;
}

const MOST = 99;
const PADDINGS = [
  ["valid", "valid (none)"],
  ["same", "same (zeros around)"],
  ["causal", "causal (zeros before)"],
] as const;

function Controls({ lens }: { lens: LensView }) {
  const geometry = lens.geometry.value;
  const { kernel_size, strides, dilation_rate } = geometry;
  const signal = geometry.rank === 1;
  const offline = lens.link.value === "offline" ? "Python is not connected: this needs Keras." : null;

  const pair = (
    name: string,
    key: "kernel_size" | "strides" | "dilation_rate",
    now: [number, number],
    take: (next: [number, number]) => void,
  ) => (
    <Setting name={name}>
      {(signal ? ([1] as const) : ([0, 1] as const)).map((i) => {
        const changed = (value: number): [number, number] => (i === 0 ? [value, now[1]] : [now[0], value]);
        return (
          <NumberField
            key={i}
            label={signal ? "steps" : i === 0 ? "rows" : "columns"}
            value={now[i]}
            step={1}
            check={(value) =>
              Number.isInteger(value) && value >= 1 && value <= MOST
                ? refusal(geometry, { [key]: changed(value) })
                : `Write a whole number, 1 to ${MOST}.`
            }
            onChange={(value) => value !== now[i] && take(changed(value))}
          />
        );
      })}
    </Setting>
  );
  const both = Math.max(...strides) > 1 ? "dilation" : Math.max(...dilation_rate) > 1 ? "strides" : null;
  return (
    <div class="cl-settings">
      {pair("kernel size", "kernel_size", kernel_size, ([rows, cols]) => resizeAll(lens, rows, cols))}
      {pair("strides", "strides", strides, (next) => lens.configure({ strides: next }))}
      {pair("dilation", "dilation_rate", dilation_rate, (next) => lens.configure({ dilation_rate: next }))}
      <Setting name="padding">
        <Select
          aria-label="padding"
          options={PADDINGS.slice(0, signal ? 3 : 2)}
          value={geometry.padding}
          onChange={(padding, select) => {
            const why = refusal(geometry, { padding });
            if (why) {
              select.value = geometry.padding;
              lens.report("Padding not changed", why);
            } else lens.configure({ padding });
          }}
        />
        <BorderJump lens={lens} />
      </Setting>
      <Setting name="activation">
        <Select
          aria-label="activation"
          options={(KNOWN.includes(geometry.activation) ? KNOWN : [geometry.activation, ...KNOWN]).map(
            (name) => [name, name],
          )}
          disabled={offline !== null}
          title={offline ?? undefined}
          value={geometry.activation}
          onChange={(chosen) => lens.configure({ activation: chosen })}
        />
      </Setting>
      {geometry.builtin && (
        <Setting name="bias">
          <label class="cl-check">
            <input
              type="checkbox"
              checked={geometry.use_bias}
              disabled={offline !== null}
              title={offline ?? undefined}
              onChange={({ currentTarget }) => lens.configure({ use_bias: currentTarget.checked })}
            />
            use_bias
          </label>
        </Setting>
      )}
      <p class="cl-muted cl-wide">
        {both &&
          `Keras allows only one of strides and dilation above 1: ${both} can change once the other is 1. `}
        Another kernel size keeps the centre of every kernel; new cells are 0.
      </p>
    </div>
  );
}

function Setting({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <fieldset class="cl-choice">
      <legend class="cl-muted">{name}</legend>
      {children}
    </fieldset>
  );
}
