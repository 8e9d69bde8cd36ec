/** Imports a TypeScript module of this folder, with all that it imports. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export async function importTypeScript(file) {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    bundle: true,
    format: "esm",
    write: false,
  });
  const source = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
  return import(`data:text/javascript;base64,${source}`);
}
