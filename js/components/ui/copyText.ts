/** Copies text to the clipboard; false where the browser does not allow it. */
export async function copyText(text: string, from?: HTMLTextAreaElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Missing on plain http and refused in some frames; the older way needs the text to be selected.
    const area = from ?? document.body.appendChild(document.createElement("textarea"));
    if (!from) area.value = text;
    area.select();
    const copied = document.execCommand("copy");
    if (!from) area.remove();
    return copied;
  }
}
