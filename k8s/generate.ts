import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { factoryOf } from "../consumers/generate.ts";
import { ALERT_GROUPS } from "../observability/alerts/rules.ts";
import { DEFAULT_LOAD, mailLatencyOf, peakFactorOf, signupsPerDayOf } from "../runtime/capacity/load.ts";
import { EXIT } from "../runtime/process.ts";
import { SETTINGS } from "../settings/schema.ts";
import type { Setting } from "../settings/values.ts";
import { GROUPS, type Group } from "../stream/groups.ts";
import { type DeployedGroup, groupManifests, WRITTEN } from "./group-manifests.ts";
import { instanceManifests } from "./instance-manifests.ts";
import { UnusableOverlay } from "./overlay.ts";
import { overlayManifests, sizedOverlay } from "./overlay-manifests.ts";
import { redisTopologyManifests } from "./redis-topologies.ts";
import { storeUserFiles } from "./store-users.ts";

/** Settings that no ConfigMap holds, and where they come from instead. */
export const SETTINGS_FROM_ELSEWHERE: Readonly<Record<string, string>> = {
  CONSUMER_NAME: "the pod's name",
  MAIL_USERNAME: "the Secret of MAIL_PASSWORD: both or none",
  MAIL_DKIM_SELECTOR: "the Secret of MAIL_DKIM_PRIVATE_KEY: both or none",
  MAIL_DKIM_SECOND_SELECTOR: "the Secret of MAIL_DKIM_SECOND_PRIVATE_KEY: both or none",
};

/** A pod sees all cores of its node, whatever its share: one hash of 19 MiB per core would exceed its memory. */
const FOR_PODS: Readonly<Record<string, string>> = { PASSWORD_HASH_CONCURRENCY: "2" };

/** Each setting that is not secret, at its default; without one it is empty, which counts as not set. */
const settingsFile = (): string => {
  const lines = Object.entries<Setting<unknown>>(SETTINGS)
    .filter(([name, { secret }]) => secret !== true && SETTINGS_FROM_ELSEWHERE[name] === undefined)
    .map(([name, { fallback }]) => `${name}=${FOR_PODS[name] ?? fallback ?? ""}`);
  return `${WRITTEN}: the defaults of settings/schema.ts; an overlay overrides what differs.\n${lines.join("\n")}\n`;
};

/** The alerts as the object that the Prometheus operator reads. */
const prometheusRule = (): string => {
  const object = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: {
      name: "signup-stream",
      namespace: "signup",
      labels: { "app.kubernetes.io/name": "signup-stream", "app.kubernetes.io/component": "monitoring" },
    },
    spec: { groups: ALERT_GROUPS },
  };
  return `${WRITTEN} from observability/alerts/rules.ts.\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`;
};

const deployedGroups = (groups: readonly Group[]): Promise<readonly DeployedGroup[]> =>
  Promise.all(
    groups.map(async (group) => ({
      name: group.name,
      requires: (await factoryOf(group)).requires,
      isDelayed: group.delayMs !== undefined,
    })),
  );

/** Every generated manifest: path below `k8s/` -> content. */
const generatedManifests = async (groups: readonly Group[], k8s: string): Promise<ReadonlyMap<string, string>> => {
  const deployed = await deployedGroups(groups);
  const streamName = SETTINGS.STREAM_NAME.fallback ?? "";
  return new Map([
    ["base/settings.env", settingsFile()],
    ["components/monitoring/rules-signup-stream.yaml", prometheusRule()],
    ...groupManifests(deployed, streamName),
    ...overlayManifests(k8s, deployed, streamName),
    ...instanceManifests(deployed),
    ...redisTopologyManifests(deployed),
    ...storeUserFiles(streamName),
  ]);
};

/** Manifests that were generated before and are no longer, such as those of a removed group. */
const staleManifests = (current: ReadonlyMap<string, string>, k8s: string): readonly string[] =>
  [...new Bun.Glob("**/*.{yaml,env}").scanSync({ cwd: k8s })].filter(
    (path) => !current.has(path) && readFileSync(join(k8s, path), "utf8").startsWith(WRITTEN),
  );

/** For `bun run generate`: path from the root -> content; undefined for a file to remove. `k8s`: the folder with the overlays. */
export const kubernetesFiles = async (
  k8s: string = import.meta.dir,
): Promise<ReadonlyMap<string, string | undefined>> => {
  const current = await generatedManifests(GROUPS, k8s);
  const stale = staleManifests(current, k8s).map((path) => [path, undefined] as const);
  return new Map([...current, ...stale].map(([path, content]) => [`k8s/${path}`, content]));
};

const USAGE = `usage: bun k8s/generate.ts --signups-per-day N [--peak-factor F] [--mail-latency TIME] [--overlay NAME] [--out DIR]

Prints an overlay that makes the overlay NAME (production) fit for so many signups, by the model of \`ops capacity\`: numbers, bounds and
requests of pods, and KEDA's targets, but no more consumers than MAIL_RATE_PER_SECOND of that overlay feeds. --out writes it to
DIR/kustomization.yaml, for \`kubectl apply -k DIR\`. What NAME itself is made for is in its size.yaml (\`bun run generate\`).`;

const WRONG_USAGE = 64;
const OPTIONS = {
  "signups-per-day": { type: "string" },
  "peak-factor": { type: "string", default: DEFAULT_LOAD.peakFactor },
  "mail-latency": { type: "string", default: DEFAULT_LOAD.mailLatency },
  overlay: { type: "string", default: "production" },
  out: { type: "string" },
} as const;

/** A way that kustomize takes, which knows no other separators. */
const wayTo = (overlay: string, from: string): string => relative(from, overlay).replaceAll("\\", "/");

const main = async (args: readonly string[]): Promise<number> => {
  try {
    const { "signups-per-day": perDay, out, ...given } = parseArgs({ args: [...args], options: OPTIONS }).values;
    if (perDay === undefined) throw new SyntaxError("expected --signups-per-day");
    const flags = {
      "signups-per-day": perDay,
      "peak-factor": given["peak-factor"],
      "mail-latency": given["mail-latency"],
    };
    const load = {
      signupsPerDay: signupsPerDayOf(perDay),
      peakFactor: peakFactorOf(given["peak-factor"]),
      mailLatencyMs: mailLatencyOf(given["mail-latency"]),
    };
    const below = join(import.meta.dir, "overlays", given.overlay);
    const words = Object.entries({ ...flags, overlay: given.overlay }).map(([name, value]) => `--${name} ${value}`);
    const { content, sizing } = sizedOverlay(import.meta.dir, await deployedGroups(GROUPS), {
      load,
      name: given.overlay,
      path: wayTo(below, out === undefined ? join(below, "..", "sized") : resolve(out)),
      command: `bun k8s/generate.ts ${words.join(" ")}`,
    });
    for (const limit of sizing.limits) console.error(`${limit}.`);
    if (out === undefined) console.log(content.trimEnd());
    else {
      mkdirSync(out, { recursive: true });
      writeFileSync(join(out, "kustomization.yaml"), content);
      console.error(`wrote ${join(out, "kustomization.yaml")}`);
    }
    return EXIT.stopped;
  } catch (error) {
    const isWrongUsage = error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
    if (error instanceof UnusableOverlay) console.error(error.message);
    else if (isWrongUsage || error instanceof SyntaxError) console.error(`${error.message}\n\n${USAGE}`);
    else throw error;
    return error instanceof UnusableOverlay ? EXIT.failed : WRONG_USAGE;
  }
};

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
