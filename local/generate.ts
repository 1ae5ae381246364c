import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { problemFiles } from "../api/generate.ts";
import { clientFiles } from "../api/openapi/generate.ts";
import { registryFiles } from "../consumers/generate.ts";
import { webhookSchemaFiles } from "../consumers/webhooks/generate.ts";
import { kubernetesFiles } from "../k8s/generate.ts";
import { alertFiles } from "../observability/alerts/generate.ts";
import { dashboardFiles } from "../observability/dashboards/generate.ts";
import { commandFiles } from "../ops/generate.ts";
import { failedToStart } from "../runtime/process.ts";
import { settingsFiles } from "../settings/generate.ts";
import { pageScriptFiles } from "./page-scripts.ts";

/** Writes files that follow from the code and are committed. */
export interface Generator {
  readonly name: string;
  /** Paths, from the root, of files that differ from what would be written now. */
  outdated(): Promise<readonly string[]>;
  /** Brings them up to date; the paths that changed. */
  run(): Promise<readonly string[]>;
}

/** Path from the root -> content; undefined for a file to remove. */
type Files = ReadonlyMap<string, string | undefined>;

const root = join(import.meta.dir, "..");

const commentsOf = (text: string): string[] | null => text.match(/^\s*#.*$/gm);

/** Whether two texts mean the same: the formatter may break lines of JSON and YAML elsewhere. */
const meansTheSame = (path: string, one: string, other: string): boolean => {
  if (path.endsWith(".json")) return Bun.deepEquals(JSON.parse(one), JSON.parse(other));
  if (!path.endsWith(".yaml")) return one === other;
  return Bun.deepEquals([parse(one), commentsOf(one)], [parse(other), commentsOf(other)]);
};

const isCurrent = (file: string, content: string | undefined): boolean => {
  if (content === undefined) return !existsSync(file);
  if (!existsSync(file)) return false;
  const standing = readFileSync(file, "utf8");
  return standing === content || meansTheSame(file, standing, content);
};

const write = (file: string, content: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
};

/** Removes the folder, too, if it held nothing else. */
const remove = (file: string): void => {
  rmSync(file);
  if (readdirSync(dirname(file)).length === 0) rmdirSync(dirname(file));
};

/** A generator of the files that `files` returns, below a root. */
export const createGenerator = (name: string, files: () => Files | Promise<Files>, below: string = root): Generator => {
  const changes = async () => [...(await files())].filter(([path, content]) => !isCurrent(join(below, path), content));
  return {
    name,
    outdated: async () => (await changes()).map(([path]) => path),
    run: async () =>
      (await changes()).map(([path, content]) => {
        const file = join(below, path);
        if (content === undefined) remove(file);
        else write(file, content);
        return path;
      }),
  };
};

/** In the order in which they run: a group without its folder ends the first, before anything is written. */
export const GENERATORS: readonly Generator[] = [
  createGenerator("registry", registryFiles),
  createGenerator("settings", settingsFiles),
  createGenerator("page scripts", pageScriptFiles),
  createGenerator("commands", commandFiles),
  createGenerator("problems", problemFiles),
  createGenerator("webhook schemas", webhookSchemaFiles),
  createGenerator("alerts", alertFiles),
  createGenerator("dashboards", dashboardFiles),
  createGenerator("kubernetes", () => kubernetesFiles()),
  createGenerator("client", clientFiles),
];

/** The formatter folds short lists, and the checks demand its layout. Its exit code. */
const format = (paths: readonly string[]): number => {
  const biome = join(root, "node_modules", ".bin", "biome");
  const command = [process.execPath, "--bun", biome, "format", "--write", "--no-errors-on-unmatched", ...paths];
  return Bun.spawnSync(command, { cwd: root, stdio: ["ignore", "ignore", "inherit"] }).exitCode;
};

/** The `generate` command. */
const main = async (): Promise<number> => {
  const changed: string[] = [];
  for (const generator of GENERATORS) changed.push(...(await generator.run()));
  const written = changed.filter((path) => existsSync(join(root, path)));
  for (const path of changed) console.log(written.includes(path) ? `wrote ${path}` : `removed ${path}`);
  if (changed.length === 0) console.log("everything is up to date");
  return written.length === 0 ? 0 : format(written);
};

if (import.meta.main) process.exitCode = await main().catch(failedToStart);
