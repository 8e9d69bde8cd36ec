/** Requests of one gesture that change weights, folded into the fewest that end in the same weights. */

import { floatsOf, type Num, unpackNumber } from "../protocol/bytes.ts";
import type { Edit, PartEdit, Request } from "../protocol/requests.ts";

export type EditRequest = Extract<Request, { type: "edit" }>;
export type ReplaceRequest = Extract<Request, { type: "replace" }>;
export type WeightRequest = EditRequest | ReplaceRequest;
/** An edit of one part of a separable layer's filter. */
export type PartEditRequest = Extract<Request, { type: "factors" }> & { edit: PartEdit; gesture: string };

export function isPartEdit(request: Request): request is PartEditRequest {
  return request.type === "factors" && request.edit !== undefined;
}

/** Whether two edits of parts can be one: of the same part, in the same gesture. */
export function samePart(a: PartEditRequest, b: PartEditRequest): boolean {
  return a.uid === b.uid && a.edit.part === b.edit.part && a.gesture === b.gesture;
}

/** Later values win, tap by tap. */
export function mergeParts(older: PartEditRequest, newer: PartEditRequest): PartEditRequest {
  const taps = mergeTaps(older.edit, newer.edit);
  return { ...newer, edit: { part: newer.edit.part, ...taps } };
}

interface Taps {
  index: number[];
  value: Num[];
}

function mergeTaps(older: Taps | undefined, newer: Taps | undefined): Taps {
  const taps = new Map<number, Num>();
  for (const one of [older, newer]) one?.index.forEach((tap, i) => void taps.set(tap, one.value[i] ?? 0));
  return { index: [...taps.keys()], value: [...taps.values()] };
}

/** Later values win, tap by tap and bias by bias. */
export function mergeEdits(older: readonly Edit[], newer: readonly Edit[]): Edit[] {
  const merged = new Map(older.map((edit) => [edit.uid, edit]));
  for (const edit of newer) {
    const before = merged.get(edit.uid);
    const bias = edit.bias ?? before?.bias;
    const taps = mergeTaps(before?.taps, edit.taps);
    merged.set(edit.uid, {
      uid: edit.uid,
      ...(taps.index.length > 0 && { taps }),
      ...(bias !== undefined && { bias }),
    });
  }
  return [...merged.values()];
}

/** In order of time, the newest last; the result is at most one replacement and one edit after it. */
export function mergeWeights(requests: readonly WeightRequest[]): WeightRequest[] {
  return requests.reduce<WeightRequest[]>((done, next) => {
    return next.type === "edit" ? addEdit(done, next) : addReplace(done, next);
  }, []);
}

function addEdit(done: readonly WeightRequest[], next: EditRequest): WeightRequest[] {
  const last = done.at(-1);
  if (last?.type === "edit") {
    return [...done.slice(0, -1), { ...last, edits: mergeEdits(last.edits, next.edits) }];
  }
  if (last?.type !== "replace") return [...done, next];
  const kernels = floatsOf(last.kernels);
  const size = kernels.length / last.uids.length;
  const left: Edit[] = [];
  for (const edit of next.edits) {
    const at = last.uids.indexOf(edit.uid);
    if (at < 0) {
      left.push(edit);
      continue;
    }
    edit.taps?.index.forEach((tap, i) => {
      kernels[at * size + tap] = unpackNumber(edit.taps?.value[i]);
    });
    if (edit.bias !== undefined) left.push({ uid: edit.uid, bias: edit.bias });
  }
  const replaced = { ...last, kernels: new Uint8Array(kernels.buffer) };
  return [...done.slice(0, -1), replaced, ...(left.length > 0 ? [{ ...next, edits: left }] : [])];
}

function addReplace(done: readonly WeightRequest[], next: ReplaceRequest): WeightRequest[] {
  const covered = new Set(next.uids);
  const edits = done
    .flatMap((request) => (request.type === "edit" ? request.edits : []))
    .flatMap((edit) => {
      if (!covered.has(edit.uid)) return [edit];
      return edit.bias === undefined ? [] : [{ uid: edit.uid, bias: edit.bias }];
    });
  const replaces = done.filter((request) => request.type === "replace");
  if (
    replaces.some((r) => String(r.shape) !== String(next.shape) && !r.uids.every((uid) => covered.has(uid)))
  ) {
    return [...done, next];
  }
  const all = [...replaces, next].reduce(union);
  return edits.length > 0 ? [all, { type: "edit", edits, gesture: next.gesture }] : [all];
}

/** Kernels of one shape: those of `newer`, and those of `older` that it does not replace. */
function union(older: ReplaceRequest, newer: ReplaceRequest): ReplaceRequest {
  const kept = older.uids.filter((uid) => !newer.uids.includes(uid));
  if (kept.length === 0) return newer;
  const size = older.kernels.byteLength / older.uids.length;
  const kernels = new Uint8Array(kept.length * size + newer.kernels.byteLength);
  kept.forEach((uid, i) => {
    const from = older.uids.indexOf(uid) * size;
    kernels.set(older.kernels.subarray(from, from + size), i * size);
  });
  kernels.set(newer.kernels, kept.length * size);
  return { ...newer, uids: [...kept, ...newer.uids], kernels };
}
