import { join } from "node:path";
import { PROGRAMS, preparedProgram } from "../runtime/prepared.ts";

/** The `consumer` command: `--group NAME`, may be repeated; all groups if not given. The image has it as one file, which takes less memory than its sources (docs/decisions/0077). */
const prepared = preparedProgram(join(import.meta.dir, ".."), PROGRAMS.consumers);
const program: typeof import("./program.ts") =
  prepared === undefined ? await import("./program.ts") : await import(prepared);
process.exit(await program.run(process.argv.slice(2)));
