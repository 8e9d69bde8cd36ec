/** The grip of a card: drag it to another place in the list, or move the card with the arrow keys. */
import type { RefObject } from "preact";
import { arrowStep } from "../ui/arrows.ts";
import { Button } from "../ui/Button.tsx";
import { consume } from "../ui/consume.ts";
import { followPointer } from "../ui/followPointer.ts";

export interface CardHandleProps {
  card: RefObject<HTMLElement | null>;
  index: number;
  last: number;
  name: string;
  /** Why the order is fixed. */
  why: string | null;
  onMove: (to: number) => void;
}

export function CardHandle({ card, index, last, name, why, onMove }: CardHandleProps) {
  return (
    <Button
      class="cl-handle"
      aria-disabled={why !== null}
      aria-label={`Move ${name}, filter ${index} of 0 to ${last}: drag, or use the arrow keys`}
      title={why ?? "Drag to another place, or press an arrow key"}
      onKeyDown={(event) => {
        const by = arrowStep(event.key);
        if (!by || event.ctrlKey || event.metaKey) return;
        consume(event);
        onMove(index + by);
      }}
      onPointerDown={(event) => {
        if (event.button !== 0 || why !== null || !card.current) return;
        event.preventDefault();
        event.currentTarget.focus();
        dragCard(event, card.current, index, onMove);
      }}
    >
      <span class="cl-grip" aria-hidden="true" />
    </Button>
  );
}

const placeOf = (card: HTMLElement) => Number(card.dataset.card);

/** The card follows the pointer; where it is released, it takes the place of the card under the pointer. */
function dragCard(event: PointerEvent, card: HTMLElement, index: number, move: (to: number) => void): void {
  const cards = [...(card.closest(".convlens") ?? document).querySelectorAll<HTMLElement>("[data-card]")];
  let to = index;
  const mark = (place: number) => {
    for (const other of cards) {
      if (placeOf(other) === place && place !== index)
        other.dataset.drop = place < index ? "before" : "after";
      else delete other.dataset.drop;
    }
  };
  card.dataset.dragged = "";
  followPointer(
    event,
    (e) => {
      card.style.transform = `translate(${e.clientX - event.clientX}px, ${e.clientY - event.clientY}px)`;
      const under = cards.find((other) => {
        const { top, bottom, left, right } = other.getBoundingClientRect();
        return (
          other !== card && e.clientY >= top && e.clientY < bottom && e.clientX >= left && e.clientX < right
        );
      });
      to = under ? placeOf(under) : index;
      mark(to);
    },
    (cancelled) => {
      mark(index);
      delete card.dataset.dragged;
      card.style.transform = "";
      if (!cancelled && to !== index) move(to);
    },
  );
}
