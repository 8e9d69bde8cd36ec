/** Reads cases as JSON from the file named, runs the real TypeScript on them, writes the outcomes as JSON to standard output. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [file] = process.argv.slice(2);
const bundle = await build({
  entryPoints: [fileURLToPath(new URL("preview-cases.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { predict } = await import(`data:text/javascript;base64,${source}`);
process.stdout.write(JSON.stringify(JSON.parse(await readFile(file, "utf8")).map(predict)));
