/** A front end without a host: reads one command a line, runs the real TypeScript, writes what it says, one line each. */
import { createInterface } from "node:readline";
import { importTypeScript } from "./import-typescript.mjs";

const { RemoteLens } = await importTypeScript("remote-lens.ts");
const lens = new RemoteLens((line) => process.stdout.write(`${JSON.stringify(line)}\n`));
for await (const line of createInterface({ input: process.stdin })) lens.obey(JSON.parse(line));
