/** Reads cases as JSON from the file named, runs the real TypeScript on them, writes the outcomes as JSON to standard output. */
import { readFile } from "node:fs/promises";
import { importTypeScript } from "./import-typescript.mjs";

const [file] = process.argv.slice(2);
const { predict } = await importTypeScript("preview-cases.ts");
process.stdout.write(JSON.stringify(JSON.parse(await readFile(file, "utf8")).map(predict)));
