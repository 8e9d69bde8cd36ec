/**
 * Names of members that only the bundle itself uses, so that build.mjs may shorten them as it shortens variables: of all names that
 * the bundle has, those that nobody else writes. A name is kept when it occurs, in whatever sense, in
 *
 *  - the declarations of JavaScript, of the browser, of anywidget, and of what Preact gives to elements,
 *  - a file that deals with others: messages, hosts, saved pages and the pages around a lens (`BOUNDARIES`),
 *  - a string of the front end, a selector of the style sheet or a string of the Python package: it might be a key;
 *  - the name of an attribute `data-…`, which `dataset` has as a member.
 *
 * What is left can only be reached by its name in the bundle. A table whose keys come from elsewhere quotes one of these or belongs
 * in a file of `BOUNDARIES`; names with a capital first, as keys of the keyboard have, are kept as well.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = join(root, "node_modules");

const BOUNDARIES =
  /^js\/(protocol|connection)\/|^js\/(widget\.tsx|state\/(snapshot|saved-state)\.ts|maths\/kernel-json\.ts)$/;

async function texts(from, kind) {
  const found = await readdir(from, { recursive: true });
  const files = found.filter((file) => kind.test(file)).map((file) => join(from, file));
  return Promise.all(files.map(async (file) => [file.slice(root.length), await readFile(file, "utf8")]));
}

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
const words = (text) => text.match(/[\w$]+/g) ?? [];
const quoted = (text) => [...text.matchAll(/(?<=["'`])[\w$]+(?=["'`])/g)].map(([word]) => word);
/** What is declared: a name before its type, its parameters or its value. */
const declared = (text) => [...text.matchAll(/([\w$]+)['"]?\]?\??\s*[(:<=]/g)].map(([, word]) => word);

const ofDataset = (text) => [...text.matchAll(/\bdataset\.(\w+)/g)].map(([, name]) => name);
/** What `dataset` calls the attributes. */
const data = (text) =>
  [...text.matchAll(/\bdata-([a-z-]+)/g)].map(([, name]) =>
    name.replace(/-./g, ([, letter]) => letter.toUpperCase()),
  );

/** @returns {Promise<Set<string>>} */
async function reserved() {
  const names = new Set();
  const keep = (found) => {
    for (const name of found) names.add(name);
  };
  // The compiler's own package depends on the machine; the declarations in it do not.
  const lib = await texts(join(packages, "@typescript"), /\/lib\/lib\.(es|dom)[\w.]*\.d\.ts$/);
  for (const [, text] of lib) keep(declared(withoutComments(text)));
  for (const [, text] of await texts(join(packages, "@anywidget"), /\.d\.[cm]?ts$/))
    keep(words(withoutComments(text)));
  // The rest of Preact is in the bundle, and its names are shortened with the others.
  for (const [, text] of await texts(join(packages, "preact/src"), /^(jsx|dom)\.d\.ts$/))
    keep(words(withoutComments(text)));
  for (const [file, text] of await texts(join(root, "js"), /^(?!tests|states).*\.tsx?$/))
    if (BOUNDARIES.test(file)) keep(words(withoutComments(text)));
  for (const [, text] of await texts(join(root, "js/styles"), /\.css$/))
    keep([...quoted(text), ...data(text)]);
  for (const [file, text] of await texts(join(root, "src/convlens"), /^(?!static).*\.(py|js|html)$/)) {
    keep(file.endsWith(".py") ? quoted(text) : words(text));
    // The fields of a `TypedDict`.
    if (file.endsWith("_types.py")) keep(declared(text));
  }
  // Of signals, which the files of `BOUNDARIES` read as all others do.
  names.delete("peek");
  return names;
}

/**
 * @param {esbuild.BuildOptions} options of the bundle
 * @returns {Promise<string[]>} in order, so that the same sources make the same bundle
 */
export async function internalNames(options) {
  const { mangleCache, outputFiles } = await esbuild.build({
    ...options,
    // Preact and signals keep what belongs to an element on it, under names that are shorter or begin with `_`.
    mangleProps: /^[a-z]\w{2,}$/,
    mangleCache: {},
    minify: false,
    sourcemap: false,
    write: false,
  });
  const kept = await reserved();
  // As built, since a type that quotes a name uses none.
  for (const { text } of outputFiles)
    for (const name of [...quoted(text), ...data(text), ...ofDataset(text)]) kept.add(name);
  return Object.keys(mangleCache)
    .filter((name) => !kept.has(name))
    .sort();
}
