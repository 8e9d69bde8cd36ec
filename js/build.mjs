/**
 * Builds the front end: one ES module, the small one that loads it, and one style sheet, which the Python package carries. The same
 * sources make the same bytes.
 *
 *     node js/build.mjs            minified; fails where the sizes exceed budget.json
 *     node js/build.mjs --rooms    the same, with what each folder takes of it
 *     node js/build.mjs --watch    readable, rebuilt on every change
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { minifySync } from "rolldown/utils";
import { internalNames } from "./internal-names.mjs";

const watch = process.argv.includes("--watch");
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Bytes of all files together. */
const BUDGET = JSON.parse(await readFile(here("budget.json"), "utf8"));
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

/** What each folder, or package, takes of the bundle, as esbuild made it: before names are shortened further. */
function reportRooms({ outputs }) {
  const rooms = new Map();
  for (const { inputs } of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const room = /^node_modules\/(@[^/]+|[^/]+)|^js\/(components\/[^/]+|[^/]+)(?=\/)/.exec(path);
      const name = room?.[1] ?? room?.[2] ?? "widget";
      rooms.set(name, (rooms.get(name) ?? 0) + bytesInOutput);
    }
  for (const [name, bytes] of [...rooms].sort(([, a], [, b]) => b - a))
    console.log(`${String(bytes).padStart(7)}  ${name}`);
}

if (watch) {
  await esbuild.build(loader);
  const context = await esbuild.context({ ...options, logLevel: "info" });
  await context.watch();
} else {
  const mangleProps = new RegExp(`^(${(await internalNames(options)).join("|")})$`);
  const { outputFiles, metafile } = await esbuild.build({
    ...options,
    mangleProps,
    metafile: true,
    write: false,
  });
  const [js, css] = [".js", ".css"].map(
    (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "",
  );
  const small = await esbuild.build({ ...loader, write: false });
  await mkdir(outdir, { recursive: true });
  await writeFile(`${outdir}/loader.js`, shorter(small.outputFiles[0].text));
  await writeFile(`${outdir}/widget.js`, shorter(js));
  await writeFile(`${outdir}/widget.css`, shorterProperties(css, js));
  await report();
  if (process.argv.includes("--rooms")) reportRooms(metafile);
}
