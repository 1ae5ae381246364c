import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** A package that `bun.lock` pins. */
export interface Package {
  /** Where it is in `node_modules`: its name, below those of the packages that have a version of their own of it. */
  readonly path: readonly string[];
  readonly name: string;
  readonly version: string;
  /** Subresource Integrity, as the lock file has it. */
  readonly integrity: string;
  /** An SPDX expression, as its own description says; undefined if it says none, or is not installed on this system. */
  readonly licence: string | undefined;
  /** Whether our own package.json names it. */
  readonly isDirect: boolean;
  /** Whether the image needs it; the others are for developers. */
  readonly isProduction: boolean;
  /** False for what belongs to other operating systems and processors. */
  readonly isInstalled: boolean;
  /** It wants to run a program when it is installed. */
  readonly hasInstallScript: boolean;
  /** Paths of those that it depends on. */
  readonly dependencies: readonly string[];
}

const names = z.record(z.string(), z.string()).default({});
const details = z.looseObject({
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
  optionalPeers: z.array(z.string()).default([]),
  hasInstallScript: z.boolean().default(false),
});
const lockSchema = z.looseObject({
  workspaces: z.looseObject({ "": z.looseObject({ dependencies: names, devDependencies: names }) }),
  packages: z.record(z.string(), z.tuple([z.string(), z.string(), details, z.string()])),
});
const descriptionSchema = z.looseObject({ license: z.string().optional() });

/** `a/@b/c` -> `a`, `@b/c` */
const segmentsOf = (key: string): readonly string[] => key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? [];

const licenceIn = (file: string): string | undefined => {
  const parsed = descriptionSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  return parsed.success ? parsed.data.license : undefined;
};

/** Every package of `bun.lock`, in its order, with what is known of it from `node_modules`. */
export const readPackages = (root: string): readonly Package[] => {
  const lock = lockSchema.parse(Bun.JSONC.parse(readFileSync(join(root, "bun.lock"), "utf8")));
  const { "": own } = lock.workspaces;

  /** A dependency is looked for beside the package, then ever further up, as Node.js does. */
  const resolve = (from: readonly string[], name: string): string | undefined => {
    for (let depth = from.length; depth >= 0; depth -= 1) {
      const key = [...from.slice(0, depth), name].join("/");
      if (key in lock.packages) return key;
    }
    return undefined;
  };
  const neededBy = (key: string): readonly string[] => {
    const { dependencies, optionalDependencies, peerDependencies, optionalPeers } = lock.packages[key]?.[2] ?? {};
    // An optional peer that something else brings is installed beside it, whoever that is; our own tools are not.
    const peers = Object.keys(peerDependencies ?? {}).filter(
      (name) => optionalPeers?.includes(name) !== true || !(name in own.devDependencies),
    );
    const all = [...Object.keys(dependencies ?? {}), ...Object.keys(optionalDependencies ?? {}), ...peers];
    return [...new Set(all.flatMap((name) => resolve(segmentsOf(key), name) ?? []))];
  };
  const production = new Set<string>();
  const add = (key: string): void => {
    if (production.has(key)) return;
    production.add(key);
    for (const needed of neededBy(key)) add(needed);
  };
  for (const name of Object.keys(own.dependencies)) add(name);

  return Object.entries(lock.packages).map(([key, [resolved, , about, integrity]]) => {
    const path = segmentsOf(key);
    const at = resolved.lastIndexOf("@");
    const file = join(root, "node_modules", path.join("/node_modules/"), "package.json");
    const isInstalled = existsSync(file);
    return {
      path,
      name: resolved.slice(0, at),
      version: resolved.slice(at + 1),
      integrity,
      licence: isInstalled ? licenceIn(file) : undefined,
      isDirect: key in own.dependencies || key in own.devDependencies,
      isProduction: production.has(key),
      isInstalled,
      hasInstallScript: about.hasInstallScript,
      dependencies: neededBy(key),
    };
  });
};
