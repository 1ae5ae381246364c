import {
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contextFiles } from "./build-context.ts";
import { dockerfile, root, valuesOf } from "./dockerfile.ts";

/** What the Dockerfile would put into `/app`, made without Docker in a directory where nothing else is. */
export interface BuiltImage extends Disposable {
  readonly directory: string;
  /** A Bun that the image's user may run. */
  readonly bun: string;
  /** Sizes in bytes. */
  readonly sourceBytes: number;
  readonly packageBytes: number;
}

const bytesIn = (directory: string): number => {
  const files = [...new Bun.Glob("**").scanSync({ cwd: directory, dot: true, onlyFiles: true })];
  return files.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
};

/** `--from`: taken from the directory of that stage, which nobody else needs it from. */
const copyInto = (
  directory: string,
  copies: readonly string[],
  stages: Readonly<Record<string, string>> = {},
): void => {
  for (const copy of copies) {
    const [, stage = "", source = "", target = ""] = /^--from=(\w+) \/app\/(\S+) (\S+)$/.exec(copy) ?? [];
    if (stage !== "") {
      const from = stages[stage];
      if (from === undefined) throw new Error(`${copy}: there is no such stage`);
      renameSync(join(from, source), join(directory, target));
      continue;
    }
    for (const file of copy.split(" ").slice(0, -1).flatMap(contextFiles)) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      cpSync(join(root, file), join(directory, file));
    }
  }
};

const bunFor = (directory: string): string => {
  const own = realpathSync(process.execPath);
  const bun = join(directory, "bun");
  try {
    linkSync(own, bun);
  } catch {
    cpSync(own, bun);
  }
  return bun;
};

/** Runs what a stage runs: Bun, with arguments. */
const runIn = (directory: string, stage: ReturnType<typeof dockerfile>[number]): void => {
  for (const line of valuesOf(stage, "RUN")) {
    const [, ...args]: string[] = JSON.parse(line);
    const ran = Bun.spawnSync([process.execPath, ...args], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    if (ran.exitCode !== 0) throw new Error(`${line} failed: ${ran.stderr.toString()}`);
  }
};

/** Runs what the Dockerfile runs, and copies what it copies; each stage in a directory of its own. */
export const buildImage = (): BuiltImage => {
  const [dependencies = [], programs = [], final = []] = dockerfile();
  const outside = mkdtempSync(join(tmpdir(), "image-"));
  chmodSync(outside, 0o755);
  const stages = { dependencies: join(outside, "dependencies"), programs: join(outside, "programs") };
  const directory = join(outside, "app");
  for (const each of [stages.dependencies, directory]) mkdirSync(each);
  copyInto(stages.dependencies, valuesOf(dependencies, "COPY"));
  runIn(stages.dependencies, dependencies);
  // Where the last stage will be, as in Docker, where each stage has `/app`: a prepared program knows its place.
  copyInto(directory, valuesOf(programs, "COPY"), stages);
  runIn(directory, programs);
  renameSync(directory, stages.programs);
  mkdirSync(directory);
  // Both stages that need the packages have the same.
  copyInto(directory, valuesOf(final, "COPY"), { dependencies: stages.programs, programs: stages.programs });
  const packageBytes = bytesIn(join(directory, "node_modules"));
  return {
    directory,
    bun: bunFor(outside),
    packageBytes,
    sourceBytes: bytesIn(directory) - packageBytes,
    [Symbol.dispose]: () => rmSync(outside, { recursive: true, force: true }),
  };
};
