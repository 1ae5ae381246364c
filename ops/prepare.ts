import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildingFor, PROGRAMS, type Program, placesOf } from "../runtime/prepared.ts";

/** Nobody builds for so long: whoever began was killed. */
const ABANDONED_AFTER_MS = 60_000;

/** A third of the text, which nearly nobody's settings load: who needs it has it from the packages. */
const SELDOM_LOADED = ["@opentelemetry/sdk-node"];

/** Whether this process is the one that builds into the folder. */
const claimed = (folder: string): boolean => {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    if (Date.now() - statSync(folder).mtimeMs < ABANDONED_AFTER_MS) return false;
    rmSync(folder, { recursive: true, force: true });
    return claimed(folder);
  }
};

/**
 * Makes one file of `program.ts` and all that it imports, and removes those of earlier sources. A command then starts in half the
 * time, and a process that runs for long keeps one large text in the place of a thousand modules. In one step: nobody finds half of it.
 */
const prepare = async (root: string, program: Program): Promise<void> => {
  const { all, own } = placesOf(root, program);
  if (existsSync(own)) return;
  mkdirSync(all, { recursive: true });
  const building = buildingFor(own);
  if (!claimed(building)) return;
  try {
    const entrypoints = [join(root, program.name, "program.ts")];
    const { bytecode } = program;
    await Bun.build({
      ...{ entrypoints, outdir: building, target: "bun", format: "cjs", bytecode, external: SELDOM_LOADED },
      // The text stays in memory; names are kept, for what is logged of an error.
      ...(bytecode ? {} : { minify: { whitespace: true } }),
    });
    renameSync(building, own);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  for (const name of readdirSync(all)) {
    const other = join(all, name);
    if (other !== own && !name.endsWith(".building")) rmSync(other, { recursive: true, force: true });
  }
};

/** `bun ops/prepare.ts [ops|api|consumers]...`: the operators' command line alone if none is named. */
const named = process.argv.slice(2);
for (const program of Object.values(PROGRAMS)) {
  if (named.length === 0 ? program.name === "ops" : named.includes(program.name)) {
    await prepare(join(import.meta.dir, ".."), program);
  }
}
