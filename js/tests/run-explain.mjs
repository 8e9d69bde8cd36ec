/** Reads cases as JSON from the file named, explains them by the real TypeScript, writes the outcomes to standard output. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [file] = process.argv.slice(2);
const bundle = await build({
  entryPoints: [fileURLToPath(new URL("explain-cases.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { explained } = await import(`data:text/javascript;base64,${source}`);
process.stdout.write(JSON.stringify(JSON.parse(await readFile(file, "utf8")).map(explained)));
