/** A front end without a host: reads one command a line, runs the real TypeScript, writes what it says, one line each. */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const bundle = await build({
  entryPoints: [fileURLToPath(new URL("remote-lens.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { RemoteLens } = await import(`data:text/javascript;base64,${source}`);
const lens = new RemoteLens((line) => process.stdout.write(`${JSON.stringify(line)}\n`));
for await (const line of createInterface({ input: process.stdin })) lens.obey(JSON.parse(line));
