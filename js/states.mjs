/**
 * Every component of the lens in every state, in one page made of the real components over a fake host:
 *
 *     node js/states.mjs [file]     writes build/states.html, or the file that is named
 *
 * The page shows all states, or those that its address names: states.html#pinned. With states.html?bars, letters are bars: what
 * is drawn is the same whatever fonts the machine has. tests/browser/test_states.py compares it with stored pictures.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const file = resolve(process.argv[2] ?? here("../build/states.html"));

const { outputFiles } = await esbuild.build({
  entryPoints: [
    { in: here("states/page.tsx"), out: "page" },
    { in: here("styles/index.css"), out: "page" },
  ],
  outdir: "out",
  write: false,
  bundle: true,
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "ascii",
});
const [script, style] = ["js", "css"].map(
  (kind) => outputFiles.find(({ path }) => path.endsWith(`.${kind}`)).text,
);
await mkdir(dirname(file), { recursive: true });
await writeFile(
  file,
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The lens in every state</title>
<style>
body { margin: 16px; font: 14px system-ui, sans-serif; background: light-dark(#fff, #111); color-scheme: light dark; }
.state { overflow: auto; margin: 0 0 24px; outline: 1px solid #8884; }
h2 { margin: 0 0 4px; font-size: 14px; }
body[data-named] { margin: 0; }
body[data-named] .state { margin: 0; outline: 0; }
${style}
body[data-bars] .convlens { --cl-font: bars; --cl-mono: bars; }
body[data-bars] .convlens * { font-family: bars; text-rendering: geometricPrecision; }
</style>
<body>
<script>${script.replaceAll("</script", "<\\/script")}</script>
</body>
</html>
`,
);
console.log(file);
