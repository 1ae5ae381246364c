import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { factoryOf } from "../consumers/generate.ts";
import { ALERT_GROUPS } from "../observability/alerts/rules.ts";
import { SETTINGS } from "../settings/schema.ts";
import type { Setting } from "../settings/values.ts";
import { GROUPS, type Group } from "../stream/groups.ts";
import { groupManifests, WRITTEN } from "./group-manifests.ts";
import { instanceManifests } from "./instance-manifests.ts";
import { overlayManifests } from "./overlay-manifests.ts";
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

/** Every generated manifest: path below `k8s/` -> content. */
const generatedManifests = async (groups: readonly Group[], k8s: string): Promise<ReadonlyMap<string, string>> => {
  const deployed = await Promise.all(
    groups.map(async (group) => ({
      name: group.name,
      requires: (await factoryOf(group)).requires,
      isDelayed: group.delayMs !== undefined,
    })),
  );
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
