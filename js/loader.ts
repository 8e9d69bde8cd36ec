/**
 * What anywidget imports for each model. A page keeps every module that it ever imported, so this one is small, and imports the
 * front end itself, the text of `_bundle`, once per page. Lenses of two versions on one page have two texts, and so two
 * modules.
 */
import type { AnyModel } from "@anywidget/types";

interface Props {
  model: AnyModel<{ _bundle: string }>;
}
type Entry = Record<"initialize" | "render", (props: Props) => unknown>;

const page = globalThis as { [name: symbol]: Map<string, Promise<Entry>> | undefined };
/** By text. Only the name of this table and what it holds are the same for all versions. */
page[Symbol.for("convlens")] ??= new Map();
const modules = page[Symbol.for("convlens")] as Map<string, Promise<Entry>>;

async function imported(text: string): Promise<Entry> {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return (await import(/* @vite-ignore */ url)).default;
  } catch (error) {
    modules.delete(text);
    throw error;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function entry({ model }: Props): Promise<Entry> {
  const text = model.get("_bundle");
  const known = modules.get(text) ?? imported(text);
  modules.set(text, known);
  return known;
}

export default {
  initialize: async (props: Props) => (await entry(props)).initialize(props),
  render: async (props: Props) => (await entry(props)).render(props),
};
