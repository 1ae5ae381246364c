import { join } from "node:path";
import { PROGRAMS, preparedProgram, prepareSoon } from "../runtime/prepared.ts";

const root = join(import.meta.dir, "..");
const prepared = preparedProgram(root, PROGRAMS.ops);
// Packages of hundreds of files are most of the time that a start from the sources takes.
const program: typeof import("./program.ts") =
  prepared === undefined ? await import("./program.ts") : await import(prepared);
const exitCode = await program.runOps(process.argv.slice(2), root);
if (prepared === undefined) prepareSoon(root);
process.exit(exitCode);
