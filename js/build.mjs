/**
 * Builds the front end: one ES module and one style sheet that the Python package carries.
 *
 *     node js/build.mjs            minified; prints sizes beside their budget
 *     node js/build.mjs --watch    readable, rebuilt on every change
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

/** Bytes of both files together. */
const BUDGET = { minified: 90_000, gzipped: 30_000 };

const watch = process.argv.includes("--watch");
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
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
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  // Not every host says which character set it serves.
  charset: "ascii",
  legalComments: "none",
  logLevel: "warning",
};

async function report() {
  const total = { minified: 0, gzipped: 0 };
  for (const name of ["widget.js", "widget.css"]) {
    const text = await readFile(`${outdir}/${name}`);
    const gzipped = gzipSync(text, { level: 9 }).length;
    total.minified += text.length;
    total.gzipped += gzipped;
    console.log(`${name.padEnd(10)} ${text.length} bytes minified, ${gzipped} gzipped`);
  }
  console.log(`${"together".padEnd(10)} ${total.minified} bytes minified, ${total.gzipped} gzipped`);
  const over = total.minified > BUDGET.minified || total.gzipped > BUDGET.gzipped;
  console.log(
    `${"budget".padEnd(10)} ${BUDGET.minified} bytes minified, ${BUDGET.gzipped} gzipped${over ? ": exceeded" : ""}`,
  );
}

if (watch) {
  const context = await esbuild.context({ ...options, logLevel: "info" });
  await context.watch();
} else {
  await esbuild.build(options);
  await report();
}
