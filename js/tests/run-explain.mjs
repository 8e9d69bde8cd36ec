/** Reads cases as JSON from the file named, explains them by the real TypeScript, writes the outcomes to standard output. */
import { readFile } from "node:fs/promises";
import { importTypeScript } from "./import-typescript.mjs";

const [file] = process.argv.slice(2);
const { explained } = await importTypeScript("explain-cases.ts");
process.stdout.write(JSON.stringify(JSON.parse(await readFile(file, "utf8")).map(explained)));
