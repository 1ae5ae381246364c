import { stringify } from "yaml";
import { type DeployedGroup, manifest, RETRIES_TRIGGER, STREAM_TRIGGERS } from "./group-manifests.ts";
import { fromStore } from "./secrets.ts";

interface Topology {
  readonly name: "sentinel" | "cluster";
  /** Further patches. */
  readonly patches: readonly object[];
}

const SECRET = "signup-keda";

const asParameter = (key: string) => ({ parameter: key, name: SECRET, key });

/** Changes what KEDA is told, and by the store of secrets likewise: the first of each is the address. */
const told = (op: "add" | "replace", at: "-" | "0", keys: readonly string[]): readonly object[] => {
  const patch = (path: string, values: readonly object[]) =>
    stringify(values.map((value) => ({ op, path: `${path}/${at}`, value }))).trimEnd();
  return [
    {
      target: { kind: "TriggerAuthentication", name: "redis" },
      patch: patch("/spec/secretTargetRef", keys.map(asParameter)),
    },
    {
      target: { kind: "ExternalSecret", name: SECRET },
      patch: patch(
        "/spec/data",
        keys.map((key) => fromStore(SECRET, key)),
      ),
    },
  ];
};

/** Of sentinels; the scaler takes an empty text for none. */
const SENTINEL_KEYS = ["sentinelMaster", "sentinelUsername", "sentinelPassword"];

const TOPOLOGIES: readonly Topology[] = [
  {
    name: "sentinel",
    patches: [
      ...told("add", "-", SENTINEL_KEYS),
      {
        target: { kind: "NetworkPolicy", name: "to-redis" },
        patch: "- op: add\n  path: /spec/egress/0/ports/-\n  value: {protocol: TCP, port: 26379}",
      },
    ],
  },
  { name: "cluster", patches: [] },
];

const ofType = (at: number, type: string) => `- op: replace\n  path: /spec/triggers/${at}/type\n  value: ${type}`;

const component = (groups: readonly DeployedGroup[], { name, patches }: Topology): string => {
  const delayed = groups.filter(({ isDelayed }) => isDelayed).map((group) => group.name);
  const streams = STREAM_TRIGGERS.map((at) => ofType(at, `redis-${name}-streams`));
  const selector =
    delayed.length === 0 ? {} : { labelSelector: `app.kubernetes.io/instance notin (${delayed.join(",")})` };
  return manifest(`KEDA counts in a Redis ${name}; after the components that have groups. docs/redis.md.`, {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    patches: [
      { target: { kind: "ScaledObject" }, patch: streams.join("\n") },
      // The retry set of a group whose work waits is no trigger.
      { target: { kind: "ScaledObject", ...selector }, patch: ofType(RETRIES_TRIGGER, `redis-${name}`) },
      // Several servers.
      ...told("replace", "0", ["addresses"]),
      ...patches,
    ],
  });
};

/** The components by which KEDA finds the primary of a Redis that changes place: path below `k8s/` -> content. */
export const redisTopologyManifests = (groups: readonly DeployedGroup[]): ReadonlyMap<string, string> =>
  new Map(
    TOPOLOGIES.map((topology) => [
      `components/keda-redis-${topology.name}/kustomization.yaml`,
      component(groups, topology),
    ]),
  );
