import { existsSync } from "node:fs";
import { join } from "node:path";

export const DIRECTORY = join(import.meta.dir, "..", "..", "..", ".local", "kubernetes");
export const APISERVER = join(DIRECTORY, "kube-apiserver");
export const ETCD = join(DIRECTORY, "usr", "bin", "etcd");

/** What is built by `build.ts`, or what `KUBEBUILDER_ASSETS` names, as the tests of controllers have it; undefined: neither. */
export const findServer = (): { readonly apiserver: string; readonly etcd: string } | undefined => {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  const found =
    assets === undefined
      ? { apiserver: APISERVER, etcd: ETCD }
      : { apiserver: join(assets, "kube-apiserver"), etcd: join(assets, "etcd") };
  // Custom resources come from Go modules.
  return existsSync(found.apiserver) && existsSync(found.etcd) && Bun.which("go") !== null ? found : undefined;
};
