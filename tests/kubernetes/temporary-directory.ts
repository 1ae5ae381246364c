import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

/** A directory of a test's own below `.local/`, where `node_modules` and `k8s/` are near; gone at the end of the block. */
export const temporaryDirectory = (name: string): TemporaryDirectory => {
  const local = join(import.meta.dir, "..", "..", ".local");
  mkdirSync(local, { recursive: true });
  const path = mkdtempSync(join(local, `${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
};
