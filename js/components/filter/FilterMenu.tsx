/** The menu of a filter: a button and a list of actions, by the ARIA menu button pattern. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "../ui/Button.tsx";
import { consume } from "../ui/consume.ts";
import { moveFocus } from "../ui/moveFocus.ts";
import { openBelow } from "../ui/openBelow.ts";
import type { FilterAction } from "./filterActions.ts";

export interface FilterMenuProps {
  label: string;
  /** Groups of actions, divided by lines. */
  groups: readonly (readonly FilterAction[])[];
}

export function FilterMenu({ label, groups }: FilterMenuProps) {
  const [open, setOpen] = useState<"Home" | "End" | null>(null);
  const button = useRef<HTMLButtonElement>(null);

  const close = () => {
    setOpen(null);
    button.current?.focus();
  };

  return (
    <>
      <Button
        ref={button}
        class="cl-button cl-more"
        aria-haspopup="menu"
        aria-expanded={open !== null}
        label={label}
        onClick={() => setOpen(open ? null : "Home")}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          if (event.altKey) return;
          consume(event);
          setOpen(event.key === "ArrowDown" ? "Home" : "End");
        }}
      >
        <span aria-hidden="true">⋯</span>
      </Button>
      {open && button.current && (
        <Menu
          label={label}
          groups={groups}
          start={open}
          button={button.current}
          onClose={close}
          onDismiss={() => setOpen(null)}
          onChoose={(action) => {
            // First back to the button: an action may open a panel, which then takes the focus itself.
            close();
            action.run();
          }}
        />
      )}
    </>
  );
}

interface MenuProps {
  label: string;
  groups: FilterMenuProps["groups"];
  start: "Home" | "End";
  button: HTMLElement;
  onClose: () => void;
  /** Closed by a press or a focus elsewhere: the focus stays there. */
  onDismiss: () => void;
  onChoose: (action: FilterAction) => void;
}

function Menu({ label, groups, start, button, onClose, onDismiss, onChoose }: MenuProps) {
  const list = useRef<HTMLDivElement>(null);
  const dismiss = useRef(onDismiss);
  dismiss.current = onDismiss;

  useLayoutEffect(() => {
    const menu = list.current;
    if (!menu) return;
    const stop = openBelow(menu, button, "end", () => dismiss.current());
    moveFocus(menu, "[role=menuitem]", start);
    return stop;
  }, [button, start]);

  const onKeyDown = (event: KeyboardEvent) => {
    const menu = list.current;
    if (!menu || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" || event.key === "Tab") onClose();
    else if (!moveFocus(menu, "[role=menuitem]", event.key)) return;
    // Tab closes and goes on from the button.
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={list}
      role="menu"
      class="cl-menu"
      popover="auto"
      tabIndex={-1}
      aria-label={label}
      onKeyDown={onKeyDown}
      onToggle={(event) => event.newState === "closed" && onDismiss()}
    >
      {groups.map((group, i) => (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is not a group of a menu.
        <div role="group" key={i}>
          {group.map((action) => (
            <Button
              key={action.label}
              role="menuitem"
              class="cl-menuitem"
              tabIndex={-1}
              aria-disabled={action.why !== null}
              title={action.why ?? undefined}
              aria-description={action.why ?? undefined}
              onClick={() => action.why === null && onChoose(action)}
            >
              {action.label}
            </Button>
          ))}
        </div>
      ))}
    </div>
  );
}
