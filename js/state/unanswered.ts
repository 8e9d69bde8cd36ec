/** The edits that Python has not answered yet, applied to what it confirmed. */

import type { Weights } from "../preview/full-preview.ts";
import { floatsOf } from "../protocol/bytes.ts";
import type { Uid } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { withEdit } from "./filter.ts";

/**
 * One filter's weights after the waiting requests; other filters' kernels and requests about other things are left
 * alone.
 */
export function rebase(weights: Weights, uid: Uid, requests: readonly Request[]): Weights {
  let now = weights;
  for (const request of requests) {
    if (request.type === "edit") {
      for (const edit of request.edits) if (edit.uid === uid) now = withEdit(now, edit);
    } else if (request.type === "replace") {
      const at = request.uids.indexOf(uid);
      const size = request.kernels.byteLength / request.uids.length;
      // A kernel of another size waits for Python: the layer changes with it.
      if (at < 0 || size !== now.kernel.byteLength) continue;
      now = { kernel: floatsOf(request.kernels.subarray(at * size, (at + 1) * size)), bias: now.bias };
    }
  }
  return now;
}

/** Uids whose weights a request changes. */
export function touched(request: Request): Uid[] {
  if (request.type === "edit") return request.edits.map(({ uid }) => uid);
  return request.type === "replace" ? request.uids : [];
}
