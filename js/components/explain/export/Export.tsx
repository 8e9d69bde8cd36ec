/** What can be exported: the program, the kernels as JSON (and read back), a picture of the map. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { formatKernels, parseKernels } from "../../../maths/kernel-json.ts";
import { bufferedPaint, paintMap } from "../../../paint/paint.ts";
import { GRAY, paletteOf } from "../../../paint/palette.ts";
import { messageOf } from "../../../queries/ask.ts";
import type { LensView } from "../../../state/lens-view.ts";
import { Button } from "../../ui/Button.tsx";
import { copyText } from "../../ui/copyText.ts";
import { type Chosen, selectedFilter } from "../../ui/selectedFilter.ts";
import { useUniqueId } from "../../ui/useUniqueId.ts";
import { applyKernels, whyNotApplied } from "./applyKernels.ts";

type What = "keras" | "numpy" | "json";
const TITLES: Record<What, string> = { keras: "Keras code", numpy: "NumPy code", json: "Kernels as JSON" };

export function Export({ lens }: { lens: LensView }) {
  const what = useSignal<What | null>(null);
  const text = useSignal("");
  const said = useSignal<{ text: string; alert?: boolean } | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const id = useUniqueId();
  const chosen = selectedFilter(lens);

  const show = async (which: What | "page") => {
    said.value = null;
    try {
      if (which === "page") {
        save(new Blob([(await lens.page()) as BlobPart], { type: "text/html" }), "lens.html");
        // Some hosts let no output download, and tell nobody.
        return say('lens.html is with the browser. Where it saves none: lens.save_html("lens.html")');
      }
      const found = which === "json" ? kernelsOf(lens) : await lens.code(which);
      [what.value, text.value] = [which, found];
    } catch (error) {
      say(messageOf(error), true);
    }
  };
  const say = (words: string, alert = false) => {
    said.value = { text: words, alert };
  };
  const copy = async () => {
    const copied = await copyText(text.peek(), area.current);
    say(copied ? "Copied." : "The browser did not copy it. The text is selected: copy it from there.");
  };
  const load = (json: string) => {
    const parsed = parseKernels(json);
    const why = parsed.ok ? whyNotApplied(lens, parsed.file) : parsed.why;
    if (why !== null || !parsed.ok) return say(why ?? "", true);
    applyKernels(lens, parsed.file);
    say(`${parsed.file.kernels.length} kernels are in the lens now.`);
  };

  const json = what.value === "json";
  return (
    <>
      <p class="cl-muted">
        What is shown here, for use elsewhere: as a program that runs by itself, as text, as a page, or as a
        picture.
      </p>
      <div class="cl-cardtools">
        {(Object.keys(TITLES) as What[]).map((which) => (
          <Button key={which} aria-pressed={what.value === which} onClick={() => show(which)}>
            {TITLES[which]}
          </Button>
        ))}
        {!lens.saved && <Button onClick={() => show("page")}>Save page</Button>}
        {chosen && <Button onClick={() => savePicture(lens, chosen)}>Map of “{chosen.name}” as PNG</Button>}
      </div>
      {what.value && (
        <div class="cl-takeaway">
          <label for={id}>{TITLES[what.value]}</label>
          <textarea
            ref={area}
            id={id}
            class="cl-input cl-number"
            rows={12}
            spellcheck={false}
            readOnly={!json}
            value={text.value}
            onInput={({ currentTarget }) => {
              text.value = currentTarget.value;
            }}
            onKeyDown={(event) => event.stopPropagation()}
            onPaste={(event) => event.stopPropagation()}
          />
          <div class="cl-cardtools">
            <Button onClick={copy}>Copy</Button>
            <Button
              onClick={() =>
                save(new Blob([text.peek()]), json ? "kernels.json" : `convlens_${what.peek()}.py`)
              }
            >
              Download
            </Button>
            {json && (
              <>
                <Button onClick={() => load(text.peek())}>Put into the lens</Button>
                <label class="cl-button cl-outlined cl-file">
                  open a file
                  <input
                    type="file"
                    accept=".json,application/json"
                    class="cl-hidden"
                    onChange={async ({ currentTarget }) => {
                      const file = currentTarget.files?.[0];
                      if (!file) return;
                      text.value = await file.text();
                      currentTarget.value = "";
                      load(text.peek());
                    }}
                  />
                </label>
                <span class="cl-muted">Edit or paste it here; it is checked before it goes in.</span>
              </>
            )}
          </div>
        </div>
      )}
      <p role="status" class={said.value?.alert ? "cl-kalert" : "cl-muted"}>
        {said.value?.text}
      </p>
    </>
  );
}

function kernelsOf(lens: LensView): string {
  const { kernel_size, kernel_channels } = lens.geometry.peek();
  const filters = lens.filters.peek();
  return formatKernels({
    shape: [...kernel_size, kernel_channels],
    kernels: filters.map(({ kernel }) => kernel.peek()),
    names: [...lens.names.peek()],
    bias: filters.map(({ bias }) => bias.peek()),
  });
}

/** The map as it is drawn, one pixel each. */
function savePicture(lens: LensView, { filter, name }: Chosen): void {
  const map = filter.map.peek();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [map.cols, map.rows];
  const context = canvas.getContext("2d");
  if (!context || !(map.preview || map.keras)) {
    lens.report("No picture", "There is no map yet: Keras has not answered.");
    return;
  }
  const palette = paletteOf(lens.cmapTables.peek().get(lens.cmap.peek()) ?? GRAY);
  const window = { x: 0, y: 0, width: map.cols, height: map.rows };
  const display = lens.displayRange(filter.uid);
  bufferedPaint()(context, (target) => paintMap(target, window, map, display, palette));
  canvas.toBlob((blob) => blob && save(blob, `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.png`));
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Some browsers read it only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
