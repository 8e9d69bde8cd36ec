/**
 * Builds the front end: one ES module, the small one that loads it, and one style sheet, which the Python package carries. The same
 * sources make the same bytes.
 *
 *     node js/build.mjs            minified; fails where the sizes exceed budget.json
 *     node js/build.mjs --rooms    the same, with what each folder takes of it
 *     node js/build.mjs --features the same, with what each feature of features.json takes of it, and what is left without them
 *     node js/build.mjs --watch    readable, rebuilt on every change
 */
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { minifySync } from "rolldown/utils";
import { internalNames } from "./internal-names.mjs";

const watch = process.argv.includes("--watch");
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Bytes of all files together. */
const BUDGET = JSON.parse(await readFile(here("budget.json"), "utf8"));
/** By feature that is newer than 0.1.0: the files that are for it alone, and of which 0.1.0 had nothing. */
const FEATURES = JSON.parse(await readFile(here("features.json"), "utf8"));
const outdir = here("../src/convlens/static");

/** @type {esbuild.BuildOptions} */
const options = {
  entryPoints: [
    { in: here("widget.tsx"), out: "widget" },
    { in: here("styles/index.css"), out: "widget" },
  ],
  outdir,
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "transform",
  jsxFactory: "createElement",
  jsxFragment: "Fragment",
  inject: [here("jsx.ts")],
  // Fields without a value are set in the constructor; declaring them as well adds nothing.
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  // Not every host declares the character set that it serves.
  charset: "ascii",
  legalComments: "none",
  logLevel: "warning",
};

/** @type {esbuild.BuildOptions} Apart from the others, since it takes nothing from them. */
const loader = {
  ...options,
  entryPoints: [{ in: here("loader.ts"), out: "loader" }],
  inject: [],
  sourcemap: false,
};

/** Rolldown's minifier gives the most frequent names the shortest ones in each scope, which esbuild does not: a fortieth of what is sent. */
function shorter(code) {
  const { code: short, errors } = minifySync("widget.js", code, {
    module: true,
    compress: { target: "es2022" },
    mangle: { toplevel: true },
  });
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  return short.replace(/[^\0-\x7f]/g, (unit) => {
    const hex = unit.charCodeAt(0).toString(16);
    return hex.length > 2 ? `\\u${hex.padStart(4, "0")}` : `\\x${hex}`;
  });
}

/** The custom properties that no component sets, with names of a letter or two. */
function shorterProperties(css, js) {
  const names = new Map();
  for (const [name] of css.matchAll(/--cl-[\w-]+/g))
    if (!js.includes(name)) names.set(name, (names.get(name) ?? 0) + 1);
  const ordered = [...names].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([name]) => name);
  return css
    .replace(/--cl-[\w-]+/g, (name) => (names.has(name) ? `--cl${ordered.indexOf(name).toString(36)}` : name))
    .replace(/(--[\w-]+:|,) /g, "$1")
    .replace(/#([\da-f])\1([\da-f])\2([\da-f])\3(?=[,)])/g, "#$1$2$3");
}

/**
 * The script and the style sheet as they are sent.
 *
 * @param {esbuild.Plugin[]} plugins
 */
async function front(plugins = []) {
  const mangleProps = new RegExp(`^(${(await internalNames(options)).join("|")})$`);
  const { outputFiles, metafile } = await esbuild.build({
    ...options,
    mangleProps,
    plugins,
    metafile: true,
    write: false,
  });
  const [js, css] = [".js", ".css"].map(
    (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "",
  );
  return { js: shorter(js), css: shorterProperties(css, js), metafile };
}

async function report() {
  const total = { minified: 0, gzipped: 0 };
  for (const name of ["widget.js", "loader.js", "widget.css"]) {
    const text = await readFile(`${outdir}/${name}`);
    const gzipped = gzipSync(text, { level: 9 }).length;
    total.minified += text.length;
    total.gzipped += gzipped;
    console.log(`${name.padEnd(10)} ${text.length} bytes minified, ${gzipped} gzipped`);
  }
  console.log(`${"together".padEnd(10)} ${total.minified} bytes minified, ${total.gzipped} gzipped`);
  for (const kind of ["minified", "gzipped"]) {
    if (total[kind] <= BUDGET[kind]) continue;
    console.error(`${total[kind]} bytes ${kind}; js/budget.json allows ${BUDGET[kind]}.`);
    process.exitCode = 1;
  }
}

/**
 * What each part takes of the bundle, as esbuild made it: before names are shortened further.
 *
 * @param {(path: string) => string | undefined} partOf the part that a file belongs to
 */
function reportParts({ outputs }, partOf) {
  const parts = new Map();
  for (const { inputs } of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const part = partOf(path);
      if (part) parts.set(part, (parts.get(part) ?? 0) + bytesInOutput);
    }
  for (const [part, bytes] of [...parts].sort(([, a], [, b]) => b - a))
    console.log(`${String(bytes).padStart(7)}  ${part}`);
}

/** The folder, or the package, of a file. */
function roomOf(path) {
  const room = /^node_modules\/(@[^/]+|[^/]+)|^js\/(components\/[^/]+|[^/]+)(?=\/)/.exec(path);
  return room?.[1] ?? room?.[2] ?? "widget";
}

/** The feature that a file is for, where it is newer than 0.1.0. */
function featureOf(path) {
  const fits = (file) => path === `js/${file}` || (file.endsWith("/") && path.startsWith(`js/${file}`));
  return Object.keys(FEATURES).find((feature) => FEATURES[feature].split(" ").some(fits));
}

/** What those files take, and how large the front end is without them, and without what only they use. */
async function reportFeatures(whole) {
  // A name that no file has would count as nothing.
  for (const files of Object.values(FEATURES)) for (const file of files.split(" ")) await access(here(file));
  reportParts(whole, featureOf);
  const leaveOut = ({ path, resolveDir }) =>
    featureOf(relative(here(".."), join(resolveDir, path))) ? { path, external: true } : null;
  const { js, css } = await front([
    { name: "leave-out", setup: ({ onResolve }) => onResolve({ filter: /^\./ }, leaveOut) },
  ]);
  const left = [js.replace(/\bimport\{[^}]*\}from"\.[^"]*";?/g, ""), css];
  const [minified, gzipped] = [(text) => text.length, (text) => gzipSync(text, { level: 9 }).length].map(
    (size) => left.map(size).reduce((a, b) => a + b),
  );
  console.log(`without these ${minified} bytes minified, ${gzipped} gzipped`);
}

if (watch) {
  await esbuild.build(loader);
  const context = await esbuild.context({ ...options, logLevel: "info" });
  await context.watch();
} else {
  const { js, css, metafile } = await front();
  const small = await esbuild.build({ ...loader, write: false });
  await mkdir(outdir, { recursive: true });
  await writeFile(`${outdir}/loader.js`, shorter(small.outputFiles[0].text));
  await writeFile(`${outdir}/widget.js`, js);
  await writeFile(`${outdir}/widget.css`, css);
  await report();
  if (process.argv.includes("--rooms")) reportParts(metafile, roomOf);
  if (process.argv.includes("--features")) await reportFeatures(metafile);
}
