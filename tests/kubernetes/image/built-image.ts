import { chmodSync, cpSync, linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
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

const copyInto = (directory: string, copies: readonly string[]): void => {
  for (const copy of copies) {
    if (copy.startsWith("--from=")) continue;
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

/** Runs the Dockerfile's own install, and copies what it copies. */
export const buildImage = (): BuiltImage => {
  const [dependencies = [], final = []] = dockerfile();
  const outside = mkdtempSync(join(tmpdir(), "image-"));
  chmodSync(outside, 0o755);
  const directory = join(outside, "app");
  mkdirSync(directory);
  copyInto(directory, valuesOf(dependencies, "COPY"));
  const [install = "[]"] = valuesOf(dependencies, "RUN");
  const [, ...args]: string[] = JSON.parse(install);
  const installed = Bun.spawnSync([process.execPath, ...args], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  if (installed.exitCode !== 0) throw new Error(`the production install failed: ${installed.stderr.toString()}`);
  const packageBytes = bytesIn(join(directory, "node_modules"));
  copyInto(directory, valuesOf(final, "COPY"));
  return {
    directory,
    bun: bunFor(outside),
    packageBytes,
    sourceBytes: bytesIn(directory) - packageBytes,
    [Symbol.dispose]: () => rmSync(outside, { recursive: true, force: true }),
  };
};
