import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..");

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

/** A directory of a test's own below `.local/`, where `node_modules` and `k8s/` are near; gone at the end of the block. */
export const temporaryDirectory = (name: string): TemporaryDirectory => {
  const local = join(root, ".local");
  mkdirSync(local, { recursive: true });
  const path = mkdtempSync(join(local, `${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
};

/** A copy of the manifests, with the dashboards that they refer to, to be changed by a test. */
export const copyOfManifests = (name: string): TemporaryDirectory => {
  const directory = temporaryDirectory(name);
  for (const folder of ["k8s", "observability/dashboards"]) {
    cpSync(join(root, folder), join(directory.path, folder), { recursive: true });
  }
  return directory;
};
