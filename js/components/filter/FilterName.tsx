/** The name of a filter, edited in place. */
import { useEffect, useRef } from "preact/hooks";

export function FilterName({ name, onRename }: { name: string; onRename: (name: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) input.current.value = name;
  }, [name]);

  const take = (field: HTMLInputElement) => {
    const typed = field.value.trim();
    field.value = typed || name;
    if (typed && typed !== name) onRename(typed);
  };

  return (
    <input
      ref={input}
      class="cl-name"
      type="text"
      aria-label="Name of the filter"
      defaultValue={name}
      spellcheck={false}
      autocomplete="off"
      maxLength={80}
      onBlur={(event) => take(event.currentTarget)}
      onPaste={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        if (event.altKey || event.isComposing) return;
        event.stopPropagation();
        if (event.key === "Escape") event.currentTarget.value = name;
        else if (event.key !== "Enter") return;
        event.preventDefault();
        event.currentTarget.blur();
      }}
    />
  );
}
