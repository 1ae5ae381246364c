import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { SETTINGS } from "../settings/schema.ts";
import { BACKLOG_TRIGGER, type DeployedGroup, LAG_TRIGGERS, needsOf, targetsOf } from "./group-manifests.ts";
import { type Overlay, settingOf } from "./overlay.ts";
import { ALWAYS_ON, type Sizing } from "./sizing.ts";

/** The target of unread entries is what one pod does in this time: docs/kubernetes.md, "Sizing". */
const LAG_SECONDS = 5;
const DAY_S = 86_400;

/** `MAIL_RATE_PER_SECOND` and `MAIL_RATE_PER_DAY`. */
interface MailRate {
  readonly perSecond: number | undefined;
  readonly perDay: number | undefined;
}

/**
 * How many consumers a rate of mail feeds, at least one; undefined if there is no rate. A rate a day alone is spread over the
 * day. `lagTarget`: unread entries for each pod.
 *
 * @example 100 mails/s and a target of 200: 3
 */
export const consumersFedBy = ({ perSecond, perDay }: MailRate, lagTarget: number): number | undefined => {
  const rate = perSecond ?? (perDay === undefined ? undefined : perDay / DAY_S);
  return rate === undefined ? undefined : Math.max(1, Math.ceil(rate / (lagTarget / LAG_SECONDS)));
};

const scaledObject = z.looseObject({ spec: z.looseObject({ maxReplicaCount: z.number() }) });
const autoscaler = z.looseObject({ spec: z.looseObject({ minReplicas: z.number() }) });

const componentIn = <Value>(k8s: string, path: string, schema: z.ZodType<Value>): Value =>
  schema.parse(parse(readFileSync(join(k8s, "components", path), "utf8")));

const replace = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([path, value]) => `- op: replace\n  path: ${path}\n  value: ${JSON.stringify(value)}`)
    .join("\n");

const CPU = "/spec/template/spec/containers/0/resources/requests/cpu";

const apiPatches = ({ components }: Overlay, { apiReplicas, apiCpu }: Sizing, k8s: string): readonly object[] => {
  const deployment = { kind: "Deployment", name: "api" };
  if (!components.includes("api-autoscaling")) {
    return [{ target: deployment, patch: replace({ "/spec/replicas": apiReplicas, [CPU]: apiCpu }) }];
  }
  const { minReplicas } = componentIn(k8s, "api-autoscaling/autoscaler.yaml", autoscaler).spec;
  return [
    { target: deployment, patch: replace({ [CPU]: apiCpu }) },
    {
      target: { kind: "HorizontalPodAutoscaler", name: "api" },
      patch: replace({ "/spec/maxReplicas": Math.max(minReplicas, apiReplicas) }),
    },
  ];
};

const consumerPatches = (
  { components }: Overlay,
  groups: readonly DeployedGroup[],
  { consumerCpu, maxConsumers, lagTarget, backlogTarget }: Sizing,
): readonly object[] => {
  const deployments = { kind: "Deployment", labelSelector: "app.kubernetes.io/component=consumer" };
  if (!components.includes("keda")) {
    return [{ target: deployments, patch: replace({ "/spec/replicas": maxConsumers, [CPU]: consumerCpu }) }];
  }
  const delayed = groups.filter(({ isDelayed }) => isDelayed).map(({ name }) => name);
  const lags = LAG_TRIGGERS.map((at) => [`/spec/triggers/${at}/metadata/lagCount`, String(lagTarget)]);
  const backlog = (at: number) => replace({ [`/spec/triggers/${at}/metadata/targetValue`]: String(backlogTarget) });
  const label = (operator: string) => `app.kubernetes.io/instance ${operator} (${delayed.join(",")})`;
  const others = delayed.length === 0 ? {} : { labelSelector: label("notin") };
  return [
    { target: deployments, patch: replace({ [CPU]: consumerCpu }) },
    {
      target: { kind: "ScaledObject" },
      patch: replace({ "/spec/maxReplicaCount": maxConsumers, ...Object.fromEntries(lags) }),
    },
    { target: { kind: "ScaledObject", ...others }, patch: backlog(BACKLOG_TRIGGER.usual) },
    ...(delayed.length === 0
      ? []
      : [{ target: { kind: "ScaledObject", labelSelector: label("in") }, patch: backlog(BACKLOG_TRIGGER.delayed) }]),
  ];
};

/**
 * Patches that keep the consumers of each mail group to what the rate feeds. By the maximum, because HPA takes the greatest of
 * all triggers: a limit in one of them would limit nothing, and a formula over all fails when one of them does.
 */
const ratePatches = (
  overlay: Overlay,
  groups: readonly DeployedGroup[],
  sizing: Sizing | undefined,
  k8s: string,
): readonly object[] => {
  if (!overlay.components.includes("keda")) return [];
  const rate = {
    perSecond: settingOf(overlay, "MAIL_RATE_PER_SECOND", SETTINGS.MAIL_RATE_PER_SECOND),
    perDay: settingOf(overlay, "MAIL_RATE_PER_DAY", SETTINGS.MAIL_RATE_PER_DAY),
  };
  const usual =
    sizing?.maxConsumers ??
    componentIn(k8s, "keda/scaled-object/scaled-object.yaml", scaledObject).spec.maxReplicaCount;
  return groups
    .filter(({ requires }) => needsOf(requires).includes("mail"))
    .flatMap(({ name }) => {
      const fed = consumersFedBy(rate, sizing?.lagTarget ?? targetsOf(name).lag);
      if (fed === undefined || fed >= usual) return [];
      const most = Math.max(fed, overlay.components.includes("always-on") ? ALWAYS_ON : 0);
      return [
        {
          target: { kind: "ScaledObject", name: `consumer-${name}` },
          patch: replace({ "/spec/maxReplicaCount": most }),
        },
      ];
    });
};

/** What an overlay says of numbers of pods: by its size if it has one, and never more consumers than the rate of mail feeds. `k8s`: the folder with the components. */
export const scalingPatches = (
  overlay: Overlay,
  groups: readonly DeployedGroup[],
  sizing: Sizing | undefined,
  k8s: string,
): readonly object[] => [
  ...(sizing === undefined ? [] : [...apiPatches(overlay, sizing, k8s), ...consumerPatches(overlay, groups, sizing)]),
  ...ratePatches(overlay, groups, sizing, k8s),
];
