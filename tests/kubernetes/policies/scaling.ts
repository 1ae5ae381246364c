import { z } from "zod";
import { BACKLOG_BOUND } from "../../../database/ledger/counts.ts";
import { consumersFedBy } from "../../../k8s/scaling-patches.ts";
import { type Group, webhookGroupName } from "../../../stream/groups.ts";
import { keysOf } from "../../../stream/keys.ts";
import {
  authenticationParameters,
  plainType,
  requiredParameters,
  topologyOf,
  triggerKeys,
} from "../keda/trigger-keys.ts";
import { type KubernetesObject, nameOf, ofKind } from "../objects.ts";
import { configOf, oursIn, receiversOf } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

const trigger = z.looseObject({
  type: z.string(),
  name: z.string(),
  metadata: z.record(z.string(), z.string()),
  authenticationRef: z.looseObject({ name: z.string() }).optional(),
});

const scaledObject = z.looseObject({
  scaleTargetRef: z.looseObject({ name: z.string() }),
  cooldownPeriod: z.number(),
  minReplicaCount: z.number(),
  maxReplicaCount: z.number(),
  fallback: z.looseObject({ replicas: z.number(), behavior: z.string() }).optional(),
  triggers: z.array(trigger),
});

const triggerAuthentication = z.looseObject({
  secretTargetRef: z.array(z.looseObject({ parameter: z.string() })),
});

const parametersOf = ({ spec }: KubernetesObject): readonly string[] =>
  triggerAuthentication.parse(spec).secretTargetRef.map(({ parameter }) => parameter);

export type Scaling = z.output<typeof scaledObject>;

export const scalingOf = ({ spec }: KubernetesObject): Scaling => scaledObject.parse(spec);

/** The group that a consumer's arguments name. */
export const groupOf = (args: readonly string[]): string | undefined => args[args.indexOf("--group") + 1];

/** Where others reach the api from their own namespaces. */
const apiAddressIn = (objects: readonly KubernetesObject[]): string => {
  const { name, namespace } =
    ofKind(objects, "Service").find(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "api")
      ?.metadata ?? {};
  return `${name}.${namespace}.svc.cluster.local`;
};

/** The triggers that a group needs, with the keys that the code uses. */
const expectedTriggers = (group: string, isDelayed: boolean, streamName: string, apiAddress: string) => {
  const keys = keysOf(streamName);
  return [
    { type: "redis-streams", target: "lagCount", where: { stream: keys.events, consumerGroup: group } },
    { type: "redis-streams", target: "lagCount", where: { stream: keys.retriesStream(group), consumerGroup: group } },
    { type: "redis-streams", target: "pendingEntriesCount", where: { stream: keys.events, consumerGroup: group } },
    {
      type: "redis-streams",
      target: "pendingEntriesCount",
      where: { stream: keys.retriesStream(group), consumerGroup: group },
    },
    // What waits for a group's delay is counted by the backlog when it is nearly due.
    ...(isDelayed ? [] : [{ type: "redis", target: "listLength", where: { listName: keys.retrySet(group) } }]),
    {
      type: "metrics-api",
      target: "targetValue",
      where: {
        url: `http://${apiAddress}/api/v1/backlog/${group}`,
        valueLocation: "unfinished",
        authMode: "bearer",
      },
    },
  ];
};

/** The most consumers of a group that sends mail; of others any number. */
const mostByRate = (
  config: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
  triggers: Scaling["triggers"],
): number => {
  if (labels["signup-stream/needs-mail"] !== "true") return Number.POSITIVE_INFINITY;
  const [perSecond, perDay] = ["MAIL_RATE_PER_SECOND", "MAIL_RATE_PER_DAY"].map(
    (name) => Number(config[name]) || undefined,
  );
  const lagTarget = Number(triggers.find(({ name }) => name === "lag")?.metadata["lagCount"]);
  return consumersFedBy({ perSecond, perDay }, lagTarget) ?? Number.POSITIVE_INFINITY;
};

const ACTIVATION = ["activationLagCount", "activationListLength", "activationTargetValue"];

/** KEDA scales the consumers of each of these groups and of each receiver in the settings, on triggers that cover all work, with the names that the code uses. */
export const scalingOfGroups =
  (expected: readonly Group[]): Policy =>
  (objects) => {
    const scaled = ofKind(objects, "ScaledObject");
    if (scaled.length === 0) return [];
    const consumers = oursIn(objects).filter(({ component }) => component === "consumer");
    const groups = consumers.map(({ pod }) => groupOf(pod.containers[0]?.args ?? []));
    const receivers = new Set(
      consumers.flatMap(({ containers }) => containers.flatMap((of) => receiversOf(configOf(objects, of)))),
    );
    const known: readonly (string | undefined)[] = [
      ...expected.map(({ name }) => name),
      ...[...receivers].map(webhookGroupName),
    ];
    const authentications = ofKind(objects, "TriggerAuthentication");

    const perGroup = consumers.flatMap(({ name, object, spec, labels, pod }) => {
      const [container] = pod.containers;
      const group = groupOf(container?.args ?? []) ?? "";
      const owner = scaled.find((of) => scalingOf(of).scaleTargetRef.name === object.metadata.name);
      if (owner === undefined || container === undefined) return [`${name}: nothing scales it`];
      const { triggers, minReplicaCount, maxReplicaCount, cooldownPeriod, fallback } = scalingOf(owner);
      const config = configOf(objects, container);
      const concurrency = Number(config["CONSUMER_CONCURRENCY"]);
      const restMs = Number(config["CLAIM_MIN_IDLE_MS"]) + Number(config["RECONCILE_AFTER_MS"]);
      const missing = expectedTriggers(
        group,
        expected.some(({ name: of, delayMs }) => of === group && delayMs !== undefined),
        config["STREAM_NAME"] ?? "",
        apiAddressIn(objects),
      ).filter(
        ({ type, target, where }) =>
          !triggers.some(
            (of) =>
              plainType(of.type) === type &&
              Number(of.metadata[target]) > 0 &&
              Object.entries(where).every(([key, value]) => of.metadata[key] === value),
          ),
      );
      const numbers = (key: string) => triggers.flatMap(({ metadata }) => metadata[key] ?? []).map(Number);
      return [
        ...unless(
          nameOf(owner),
          [spec.replicas === undefined, `${name} says how many there are, and so does KEDA`],
          [minReplicaCount <= maxReplicaCount, "has a minimum above its maximum"],
          [cooldownPeriod * 1_000 > restMs, "goes to zero before what a dead pod left would be found"],
          [fallback?.behavior === "currentReplicasIfHigher", "goes down when nobody can count"],
          [
            numbers("pendingEntriesCount").every((target) => target >= 5 * concurrency),
            "grows by what its own pods hold",
          ],
          [
            numbers("targetValue").every((target) => target * maxReplicaCount <= BACKLOG_BOUND),
            "counts past the backlog's bound",
          ],
          [
            maxReplicaCount <= Math.max(minReplicaCount, mostByRate(config, labels, triggers)),
            "has more consumers than the rate of mail feeds",
          ],
          [new Set(triggers.map((of) => of.name)).size === triggers.length, "has two triggers of one name"],
          [new Set(triggers.flatMap((of) => topologyOf(of.type) ?? [])).size <= 1, "looks for Redis in two ways"],
        ),
        ...missing.map(({ type, where }) => `${nameOf(owner)}: has no trigger ${type} on ${JSON.stringify(where)}`),
        ...triggers.flatMap((of) => {
          const keys = triggerKeys(of.type);
          const reference = authentications.find(({ metadata }) => metadata.name === of.authenticationRef?.name);
          const subject = `${nameOf(owner)} ${of.name}`;
          const given = reference === undefined ? [] : parametersOf(reference);
          const needed = requiredParameters[topologyOf(of.type) ?? ""] ?? [];
          return [
            ...unless(
              subject,
              [keys !== undefined, `is of a type that nobody knows: ${of.type}`],
              [reference !== undefined, `authenticates by ${of.authenticationRef?.name}, which there is not`],
              [ACTIVATION.some((key) => of.metadata[key] === "0"), "does not wake up on the first one"],
              [needed.every((parameter) => given.includes(parameter)), `needs ${needed.join(" and ")}`],
            ),
            ...Object.keys(of.metadata).flatMap((key) =>
              unless(subject, [keys?.has(key), `has ${key}, which its scaler would pass over in silence`]),
            ),
          ];
        }),
      ];
    });

    const parameters = authentications.flatMap((object) =>
      parametersOf(object).flatMap((parameter) =>
        unless(nameOf(object), [authenticationParameters.has(parameter), `has ${parameter}, which no scaler reads`]),
      ),
    );
    return [
      ...unless(
        "the groups",
        [
          known.every((group) => groups.includes(group)),
          `of the code are ${known.join(", ")}, those deployed ${groups.join(", ")}`,
        ],
        [
          groups.every((group) => known.includes(group)),
          `deployed are ${groups.join(", ")}, those of the code ${known.join(", ")}`,
        ],
        [scaled.length === consumers.length, "and the ScaledObjects differ in number"],
      ),
      ...perGroup,
      ...parameters,
    ];
  };
