/** Requests of one gesture that change weights, folded into the fewest that end in the same weights. */
import type { Edit, Request } from "./messages.ts";
import { floatsOf, unpackNumber } from "./wire.ts";

export type EditRequest = Extract<Request, { type: "edit" }>;
export type ReplaceRequest = Extract<Request, { type: "replace" }>;
export type Weights = EditRequest | ReplaceRequest;

/** Later values win, tap by tap and bias by bias. */
export function mergeEdits(older: readonly Edit[], newer: readonly Edit[]): Edit[] {
  const merged = new Map(older.map((edit) => [edit.uid, edit]));
  for (const edit of newer) {
    const before = merged.get(edit.uid);
    const bias = edit.bias ?? before?.bias;
    const taps = new Map(before?.taps?.index.map((tap, i) => [tap, before.taps?.value[i] ?? 0]));
    edit.taps?.index.forEach((tap, i) => void taps.set(tap, edit.taps?.value[i] ?? 0));
    merged.set(edit.uid, {
      uid: edit.uid,
      ...(taps.size > 0 && { taps: { index: [...taps.keys()], value: [...taps.values()] } }),
      ...(bias !== undefined && { bias }),
    });
  }
  return [...merged.values()];
}

/** In order of time, the newest last; the result is at most one replacement and one edit after it. */
export function mergeWeights(requests: readonly Weights[]): Weights[] {
  return requests.reduce<Weights[]>((done, next) => {
    return next.type === "edit" ? addEdit(done, next) : addReplace(done, next);
  }, []);
}

function addEdit(done: readonly Weights[], next: EditRequest): Weights[] {
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

function addReplace(done: readonly Weights[], next: ReplaceRequest): Weights[] {
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
