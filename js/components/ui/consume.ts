/** The event is handled here: neither the browser nor the notebook acts on it as well. */
export function consume(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
