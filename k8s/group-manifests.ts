import { stringify } from "yaml";
import type { RequiredSetting } from "../settings/load.ts";
import { keysOf } from "../stream/keys.ts";

/** A group, as far as its manifests follow from it. */
export interface DeployedGroup {
  readonly name: string;
  /** Settings that its factory requires. */
  readonly requires: readonly RequiredSetting[];
  /** Whether its first attempts wait, which keeps no consumer until they are nearly due. */
  readonly isDelayed: boolean;
}

/** A setting that a group may require -> the component in `k8s/base/consumers/needs/` that its consumers then get. */
const NEEDS: Readonly<Record<string, string>> = { MAIL_SERVER: "mail" };

/** What a group's consumers need beside the stores. Consumers of other groups get neither the Secret nor the network access. */
export const needsOf = (requires: readonly RequiredSetting[]): readonly string[] =>
  requires.flatMap((setting) => NEEDS[setting] ?? (/^WEBHOOK_\w+_URL$/.test(setting) ? "webhooks" : []));

/** How much of each one pod is for; docs/kubernetes.md, "Sizing", derives them. */
interface Targets {
  /** Unread entries of one stream. */
  readonly lag: number;
  /** Entries in flight on one stream. */
  readonly pending: number;
  /** Retries that are not due. */
  readonly waitingRetries: number;
  /** Unfinished work in the ledger, which is counted to 10,000. */
  readonly backlog: number;
}

const DEFAULT_TARGETS: Targets = { lag: 200, pending: 200, waitingRetries: 1_000, backlog: 1_000 };

/** Where a group's targets differ from the defaults, by its name. */
export const OWN_TARGETS: Readonly<Record<string, Partial<Targets>>> = {};

/** The targets of a group. */
export const targetsOf = (name: string): Targets => ({ ...DEFAULT_TARGETS, ...OWN_TARGETS[name] });

/** First line of a generated manifest. A file that begins with it and is no longer generated is removed. */
export const WRITTEN = "# Written by `bun run generate`";

/** As YAML that everything reads: without anchors, and with no line broken. */
export const yaml = (object: object): string => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });

/** A generated manifest. */
export const manifest = (about: string, object: object): string => `${WRITTEN}: ${about}\n${yaml(object)}`;

/** Begins a kustomization. */
export const KUSTOMIZATION = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" };

/** What makes the consumers of a group of the template. `base`: the way to `k8s/base/consumers`. */
export const consumersOf = ({ name, requires }: DeployedGroup, base: string) => {
  const needs = needsOf(requires);
  return {
    ...KUSTOMIZATION,
    resources: [`${base}/template`],
    ...(needs.length === 0 ? {} : { components: needs.map((need) => `${base}/needs/${need}`) }),
    nameSuffix: `-${name}`,
    labels: [{ pairs: { "app.kubernetes.io/instance": name }, includeSelectors: true, includeTemplates: true }],
    patches: [
      {
        target: { kind: "Deployment" },
        patch: `- op: replace\n  path: /spec/template/spec/containers/0/args\n  value: [consumers/main.ts, --group, ${name}]`,
      },
    ],
  };
};

/** Where triggers are in the list of a group, for patches. */
export const LAG_TRIGGERS = [0, 1] as const;
export const STREAM_TRIGGERS = [0, 1, 2, 3] as const;
export const RETRIES_TRIGGER = 4;
export const BACKLOG_TRIGGER = { usual: 5, delayed: 4 } as const;

const scalingOf = (name: string): string =>
  manifest(`how the consumers of the group ${name} are scaled.`, {
    ...KUSTOMIZATION,
    resources: ["../scaled-object"],
    nameSuffix: `-${name}`,
    patches: [{ path: "triggers.yaml" }],
  });

const waitingRetriesOf = (name: string, streamName: string, targets: Targets): string => `
    # Retries that are not due are no work yet, but a consumer has to be there to promote them when they are.
    - type: redis
      name: waiting-retries
      authenticationRef:
        name: redis
      metadata:
        listName: "${keysOf(streamName).retrySet(name)}"
        listLength: "${targets.waitingRetries}"
        activationListLength: "0"`;

/** The size of the retry set does not say when it is due: it would keep consumers for the whole delay. */
const WAITING_BY_BACKLOG = `
    # What waits in the retry set for the group's delay is no trigger: the backlog counts it a minute before it is due.`;

/** What KEDA scales the consumers of a group on. */
export const triggersOf = ({ name, isDelayed }: DeployedGroup, streamName: string): string => {
  const keys = keysOf(streamName);
  const targets = targetsOf(name);
  return `${WRITTEN}: what the group ${name} is scaled on.
# HPA takes the greatest of all triggers; one that is active keeps a consumer. Targets: docs/kubernetes.md, "Sizing".
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: consumer
  namespace: signup
  labels:
    app.kubernetes.io/instance: ${name}
spec:
  scaleTargetRef:
    name: consumer-${name}
  triggers:
    # Events that no consumer has read: five seconds of one pod's work.
    - type: redis-streams
      name: lag
      authenticationRef:
        name: redis
      metadata:
        stream: "${keys.events}"
        consumerGroup: ${name}
        lagCount: "${targets.lag}"
        activationLagCount: "0"
    # The same for the retries stream: due retries, redrives, released entries.
    - type: redis-streams
      name: lag-of-retries
      authenticationRef:
        name: redis
      metadata:
        stream: "${keys.retriesStream(name)}"
        consumerGroup: ${name}
        lagCount: "${targets.lag}"
        activationLagCount: "0"
    # Entries in flight, or left behind by a pod that died. A pod holds CONSUMER_CONCURRENCY (20) at most; the target is far
    # above it, else each pod would be a reason for another.
    - type: redis-streams
      name: pending
      authenticationRef:
        name: redis
      metadata:
        stream: "${keys.events}"
        consumerGroup: ${name}
        pendingEntriesCount: "${targets.pending}"
        activationLagCount: "0"
    - type: redis-streams
      name: pending-of-retries
      authenticationRef:
        name: redis
      metadata:
        stream: "${keys.retriesStream(name)}"
        consumerGroup: ${name}
        pendingEntriesCount: "${targets.pending}"
        activationLagCount: "0"${isDelayed ? WAITING_BY_BACKLOG : waitingRetriesOf(name, streamName, targets)}
    # The safety net: unfinished work by the ledger, right even when Redis reports a lag of nil or has lost its data. It counts
    # to 10,000, so this target reaches maxReplicaCount exactly there.
    - type: metrics-api
      name: backlog
      authenticationRef:
        name: backlog
      metadata:
        url: http://api.signup.svc.cluster.local/api/v1/backlog/${name}
        valueLocation: unfinished
        targetValue: "${targets.backlog}"
        activationTargetValue: "0"
        authMode: bearer
`;
};

const consumersList = (names: readonly string[]): string =>
  manifest("one folder per consumer group.", { ...KUSTOMIZATION, resources: names });

const kedaComponent = (names: readonly string[]): string =>
  manifest("KEDA (2.17 or later) owns the number of each group's consumers.", {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    configurations: ["name-references.yaml"],
    resources: ["trigger-authentication.yaml", ...names],
    patches: [
      {
        // Otherwise each apply would reset the number that KEDA sets.
        target: { kind: "Deployment", labelSelector: "app.kubernetes.io/component=consumer" },
        patch: "- op: remove\n  path: /spec/replicas",
      },
    ],
  });

/** The manifests of every group, and the lists of their folders: path below `k8s/` -> content. */
export const groupManifests = (groups: readonly DeployedGroup[], streamName: string): ReadonlyMap<string, string> => {
  const names = groups.map(({ name }) => name);
  return new Map([
    ["base/consumers/kustomization.yaml", consumersList(names)],
    ["components/keda/kustomization.yaml", kedaComponent(names)],
    ...groups.flatMap((group) => {
      const { name } = group;
      const consumers = manifest(`the consumers of the group ${name}.`, consumersOf(group, ".."));
      return [
        [`base/consumers/${name}/kustomization.yaml`, consumers],
        [`components/keda/${name}/kustomization.yaml`, scalingOf(name)],
        [`components/keda/${name}/triggers.yaml`, triggersOf(group, streamName)],
      ] as const;
    }),
  ]);
};
