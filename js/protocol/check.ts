/**
 * Checks of what comes in: a check gives the value back with its type, or throws with what was expected and what was
 * given. A record or message is declared once, as a check made of smaller ones, and its type is `Checked<typeof ...>`.
 */
import { type Bytes, isBytes, unpackNumber } from "./bytes.ts";

/** `what` names the value in an error. */
export type Check<T> = (value: unknown, what: string) => T;

export type Checked<C> = C extends Check<infer T> ? T : never;

/** A field that may be absent. */
type Optional<T> = Check<T | undefined> & { readonly optional: true };

type Shape = Record<string, Check<unknown>>;
type OptionalKeys<S extends Shape> = {
  [K in keyof S]: S[K] extends { readonly optional: true } ? K : never;
}[keyof S];

/** An object with these fields. */
export type Fields<S extends Shape> = {
  [K in Exclude<keyof S, OptionalKeys<S>>]: Checked<S[K]>;
} & { [K in OptionalKeys<S>]?: Exclude<Checked<S[K]>, undefined> };

function refuse(value: unknown, expected: string, what: string): never {
  throw new TypeError(`${what}: expected ${expected}, got ${String(JSON.stringify(value)).slice(0, 60)}`);
}

function plain<T>(expected: string, fits: (value: unknown) => boolean): Check<T> {
  return (value, what) => (fits(value) ? (value as T) : refuse(value, expected, what));
}

export const whole: Check<number> = plain("a whole number", Number.isInteger);
export const text: Check<string> = plain("text", (value) => typeof value === "string");
export const flag: Check<boolean> = plain("true or false", (value) => typeof value === "boolean");
export const bytes: Check<Bytes> = plain("bytes", isBytes);
/** An object of any fields. */
export const record: Check<Record<string, unknown>> = plain(
  "an object",
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);
const array: Check<unknown[]> = plain("a list", Array.isArray);

/** A number, or the word that stands for one which JSON cannot hold. */
export const number: Check<number> = (value, what) => {
  try {
    return unpackNumber(value);
  } catch {
    return refuse(value, "a number", what);
  }
};

export function oneOf<const T extends string>(...words: T[]): Check<T> {
  return plain(words.join(" or "), (value) => words.includes(value as T));
}

export function list<T>(item: Check<T>): Check<T[]> {
  return (value, what) => array(value, what).map((one, i) => item(one, `${what}[${i}]`));
}

export function pair<T>(item: Check<T>): Check<[T, T]> {
  const items = list(item);
  return (value, what) => {
    const read = items(value, what);
    return read.length === 2 ? (read as [T, T]) : refuse(value, "two values", what);
  };
}

/** The value, or null where there is none. */
export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, what) => (value === null || value === undefined ? null : check(value, what));
}

/** The field may be absent or null. */
export function optional<T>(check: Check<T>): Optional<T> {
  const read: Check<T | undefined> = (value, what) =>
    value === null || value === undefined ? undefined : check(value, what);
  return Object.assign(read, { optional: true } as const);
}

/** The first check that the value passes. */
export function either<A, B>(first: Check<A>, second: Check<B>): Check<A | B> {
  return (value, what) => {
    try {
      return first(value, what);
    } catch {
      return second(value, what);
    }
  };
}

export function fields<S extends Shape>(shape: S): Check<Fields<S>> {
  return (value, what) => {
    const given = record(value, what);
    const read: Record<string, unknown> = {};
    for (const name of Object.keys(shape)) {
      const one = shape[name]?.(given[name], `${name} of ${what}`);
      if (one !== undefined) read[name] = one;
    }
    return read as Fields<S>;
  };
}
