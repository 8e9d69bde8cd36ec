/** The menu of a filter: a button and a list of actions, by the ARIA menu button pattern. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FilterAction } from "./filterActions.ts";
import { moveFocus } from "./moveFocus.ts";

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
      <button
        ref={button}
        type="button"
        class="cl-button cl-more"
        aria-haspopup="menu"
        aria-expanded={open !== null}
        aria-label={label}
        title={label}
        onClick={() => setOpen(open ? null : "Home")}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          if (event.altKey) return;
          event.preventDefault();
          event.stopPropagation();
          setOpen(event.key === "ArrowDown" ? "Home" : "End");
        }}
      >
        <span aria-hidden="true">⋯</span>
      </button>
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
    // The top layer: a notebook's output area clips everything else. A press elsewhere closes it.
    menu.showPopover?.();
    place(menu, button);
    moveFocus(menu, "[role=menuitem]", start);
    const document = menu.ownerDocument;
    const scrolled = (event: Event) => event.target !== menu && dismiss.current();
    document.addEventListener("scroll", scrolled, true);
    return () => document.removeEventListener("scroll", scrolled, true);
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
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is no group of a menu.
        <div role="group" key={i}>
          {group.map((action) => (
            <button
              key={action.label}
              type="button"
              role="menuitem"
              class="cl-menuitem"
              tabIndex={-1}
              aria-disabled={action.why !== null}
              title={action.why ?? undefined}
              aria-description={action.why ?? undefined}
              onClick={() => action.why === null && onChoose(action)}
            >
              {action.label}
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}

const MARGIN = 4;

/** Below the button, or above it where there is more room; its right edge on the button's, inside the window. */
function place(menu: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const view = menu.ownerDocument.documentElement;
  const height = menu.scrollHeight;
  const below = view.clientHeight - at.bottom - MARGIN;
  const above = at.top - MARGIN;
  const down = below >= height || below >= above;
  const room = Math.max(120, down ? below : above);
  menu.style.maxHeight = `${room - MARGIN}px`;
  menu.style.top = `${down ? at.bottom + MARGIN / 2 : Math.max(MARGIN, at.top - MARGIN / 2 - Math.min(height + 2, room - MARGIN))}px`;
  menu.style.left = `${Math.max(MARGIN, Math.min(at.right, view.clientWidth - MARGIN) - menu.offsetWidth)}px`;
}
