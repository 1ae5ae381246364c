import { existsSync } from "node:fs";
import { join } from "node:path";
import { preparedProgram, prepareSoon } from "./prepared.ts";

const root = join(import.meta.dir, "..");
const prepared = preparedProgram(root);
const isPrepared = existsSync(prepared);
// Packages of hundreds of files are most of the time that a start from the sources takes.
const program: typeof import("./program.ts") = isPrepared ? await import(prepared) : await import("./program.ts");
const exitCode = await program.runOps(process.argv.slice(2), root);
if (!isPrepared) prepareSoon(root);
process.exit(exitCode);
