import { join } from "node:path";
import { PROGRAMS, preparedProgram } from "../runtime/prepared.ts";

/** The `api` command. The image has it as one file, which takes less memory than its sources (docs/decisions/0077). */
const prepared = preparedProgram(join(import.meta.dir, ".."), PROGRAMS.api);
const program: typeof import("./program.ts") =
  prepared === undefined ? await import("./program.ts") : await import(prepared);
process.exit(await program.run());
