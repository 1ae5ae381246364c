import { existsSync } from "node:fs";
import { join } from "node:path";
import { GROUPS, type Group, requireBindings } from "../stream/groups.ts";
import type { GroupFactory } from "./engine/factory.ts";

/** A group of stream/groups.ts that nothing can be made of. */
export class UnusableGroup extends Error {
  override readonly name = "UnusableGroup";
}

const isFactory = (exported: unknown): exported is GroupFactory =>
  typeof exported === "object" &&
  exported !== null &&
  "requires" in exported &&
  Array.isArray(exported.requires) &&
  "open" in exported &&
  typeof exported.open === "function";

/**
 * What a group's folder exports as `factory`. Read anew for each group, because the registry may be out of date.
 *
 * @throws {UnusableGroup} naming the file to write
 */
export const factoryOf = async ({ name }: Group, folder: string = import.meta.dir): Promise<GroupFactory> => {
  const path = join(folder, name, "group.ts");
  const file = `consumers/${name}/group.ts`;
  const expected = `write it with: export const factory = defineGroup({ ... }); see "Add a group" in README.md`;
  if (!existsSync(path)) throw new UnusableGroup(`the group ${name} has no ${file}: ${expected}`);
  const exported: { readonly factory?: unknown } = await import(path);
  if (!isFactory(exported.factory)) {
    throw new UnusableGroup(`${file} does not export the factory of the group ${name}: ${expected}`);
  }
  return exported.factory;
};

/** Longer names would exceed a line of the registry; the names of Kubernetes have room for 54 characters. */
const MAX_NAME = 32;
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** @throws {UnusableGroup} */
const requireName = ({ name }: Group): void => {
  if (NAME.test(name) && name.length <= MAX_NAME) return;
  throw new UnusableGroup(
    `a group cannot be named ${JSON.stringify(name)}: expected lower-case words with dashes, at most ${MAX_NAME} characters`,
  );
};

/** `audit-log` -> `auditLogFactory`; the ending keeps it apart from the words of the language. */
const variableOf = ({ name }: Group): string =>
  `${name.replace(/-(.)/g, (_, first: string) => first.toUpperCase())}Factory`;

/** The registry, laid out as the formatter wants it: the comment in the list keeps a line for each group. */
export const registryOf = (groups: readonly Group[]): string => `// Written by \`bun run generate\`.
// biome-ignore-all assist/source/organizeImports: in the order of stream/groups.ts.
import type { GroupFactory } from "./engine/factory.ts";
${groups.map((group) => `import { factory as ${variableOf(group)} } from "./${group.name}/group.ts";\n`).join("")}
/** What makes each group's consumer, by the group's name. */
export const FACTORIES: ReadonlyMap<string, GroupFactory> = new Map([
  // In the order of stream/groups.ts.
${groups.map((group) => `  ["${group.name}", ${variableOf(group)}],\n`).join("")}]);
`;

/**
 * For `bun run generate`: the registry of the groups; path from the root -> content.
 *
 * @throws {UnusableGroup} if a group has no folder, or its folder no factory
 * @throws {UnboundGroup} if a group binds to no event type
 */
export const registryFiles = async (groups: readonly Group[] = GROUPS): Promise<ReadonlyMap<string, string>> => {
  groups.forEach(requireName);
  requireBindings(groups);
  for (const group of groups) await factoryOf(group);
  return new Map([["consumers/registry.ts", registryOf(groups)]]);
};
