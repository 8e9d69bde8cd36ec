/** The layer's settings: to change for the lens's own layer, to read for a user's. */

import type { ComponentChildren } from "preact";
import { KNOWN } from "../../../maths/activations.ts";
import { extent, outputLength } from "../../../maths/geometry.ts";
import { kindOf } from "../../../maths/kinds.ts";
import type { Geometry } from "../../../protocol/records.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { resizeAll } from "../../filter/filterActions.ts";
import { NumberField } from "../../ui/NumberField.tsx";

export function Layer({ lens }: { lens: LensView }) {
  const geometry = lens.geometry.value;
  const own = geometry.builtin && geometry.path === "";
  return (
    <>
      <code class="cl-code">{source(geometry)}</code>
      {own ? (
        <Controls lens={lens} />
      ) : (
        <p class="cl-muted">
          This layer is yours: its settings are shown as they are, and the lens does not change them.
        </p>
      )}
    </>
  );
}

/** The layer as one would write it. */
function source(geometry: Geometry): string {
  const { class_name, filters, kernel_size, strides, dilation_rate, padding, groups, activation } = geometry;
  const tuple = ([a, b]: [number, number]) => (geometry.rank === 1 ? `${b}` : `(${a}, ${b})`);
  const pair = (name: string, [a, b]: [number, number]) =>
    a === 1 && b === 1 ? null : `${name}=${tuple([a, b])}`;
  const multiplier = geometry.weight_shape.at(-1) ?? 1;
  const { counts } = kindOf(geometry);
  const given = [
    counts.includes("filters") ? `${filters}` : null,
    tuple(kernel_size),
    counts.includes("depth_multiplier") && multiplier > 1 ? `depth_multiplier=${multiplier}` : null,
    pair("strides", strides),
    padding === "valid" ? null : `padding="${padding}"`,
    pair("dilation_rate", dilation_rate),
    groups > 1 ? `groups=${groups}` : null,
    activation === "linear" ? null : `activation="${activation}"`,
    geometry.use_bias ? null : "use_bias=False",
  ];
  return `layer = keras.layers.${class_name}(${given.filter(Boolean).join(", ")})`;
}

/** Why a change is not possible: of what Keras, or arithmetic, forbids. */
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
  ["valid", "none"],
  ["same", "zeros around"],
  ["causal", "zeros before"],
] as const;

function Controls({ lens }: { lens: LensView }) {
  const geometry = lens.geometry.value;
  const { kernel_size, strides, dilation_rate } = geometry;
  const signal = geometry.rank === 1;
  const offline = lens.link.value === "offline" ? "Python is not connected: this takes Keras." : null;

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
        <select
          class="cl-select"
          aria-label="padding"
          value={geometry.padding}
          onChange={({ currentTarget }) => {
            const padding = currentTarget.value as Geometry["padding"];
            const why = refusal(geometry, { padding });
            if (why) {
              currentTarget.value = geometry.padding;
              lens.report("Padding not changed", why);
            } else lens.configure({ padding });
          }}
        >
          {PADDINGS.slice(0, signal ? 3 : 2).map(([value, words]) => (
            <option key={value} value={value} selected={value === geometry.padding}>
              {`${value} (${words})`}
            </option>
          ))}
        </select>
      </Setting>
      <Setting name="activation">
        <select
          class="cl-select"
          aria-label="activation"
          disabled={offline !== null}
          title={offline ?? undefined}
          value={geometry.activation}
          onChange={({ currentTarget }) => lens.configure({ activation: currentTarget.value })}
        >
          {(KNOWN.includes(geometry.activation) ? KNOWN : [geometry.activation, ...KNOWN]).map((name) => (
            <option key={name} value={name} selected={name === geometry.activation}>
              {name}
            </option>
          ))}
        </select>
      </Setting>
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
