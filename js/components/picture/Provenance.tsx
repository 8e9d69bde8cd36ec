/** Where a map's numbers come from. All the marks keep their place, so that nothing moves while one follows another. */
import type { Provenance as From } from "../../model/lens.ts";
import { Icon } from "../icons.tsx";
import { PROVENANCE } from "../wording.ts";

const ALL = Object.keys(PROVENANCE) as From[];

export function Provenance({ from }: { from: From }) {
  return (
    <span class="cl-provenance" title={PROVENANCE[from].title}>
      {ALL.map((one) => (
        <span key={one} data-from={one} data-on={one === from || undefined} aria-hidden={one !== from}>
          <Icon name={PROVENANCE[one].icon} size={12} />
          {PROVENANCE[one].text}
        </span>
      ))}
    </span>
  );
}
