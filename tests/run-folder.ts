import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../local/child.ts";

/** What the test files of one run have in common on disk. */
export interface RunFolder extends Disposable {
  readonly path: string;
  /** For the processes that run the tests. */
  readonly environment: { readonly TEST_RUN_FOLDER: string };
}

const root = join(import.meta.dir, "..");
/** Within the tree: what reads files of packages looks for `node_modules` from here upwards. */
const local = join(root, ".local");
const OWN_FOLDER = /^test-run-(\d+)$/;

/** The folder of this run; undefined outside `tests/run.ts`. */
export const runFolder = (): string | undefined => process.env["TEST_RUN_FOLDER"];

/** What a run that was killed outright could not remove. */
const removeAbandoned = (): void => {
  for (const name of existsSync(local) ? readdirSync(local) : []) {
    const pid = OWN_FOLDER.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(local, name), { recursive: true, force: true });
  }
};

/**
 * Makes it, with `programs.ts` as one file of bytecode in it: a process of that is ready after 0.2 s of processor time, one
 * of the sources after 0.6 s. Disposing removes it.
 */
export const makeRunFolder = async (): Promise<RunFolder> => {
  removeAbandoned();
  const folder = join(local, `test-run-${process.pid}`);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const entrypoints = [join(import.meta.dir, "programs.ts")];
    await Bun.build({ entrypoints, outdir: folder, target: "bun", format: "cjs", bytecode: true });
    // A thread is started by the name of its file, beside the file that starts it.
    copyFileSync(join(root, "api", "passwords", "thread.ts"), join(folder, "thread.ts"));
  } catch (error) {
    remove();
    throw error;
  }
  return { path: folder, environment: { TEST_RUN_FOLDER: folder }, [Symbol.dispose]: remove };
};
