import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { FACTORIES } from "../../consumers/registry.ts";
import { needsOf, OWN_TARGETS } from "../../k8s/group-manifests.ts";
import { requiredOfReceiver } from "../../settings/webhooks.ts";
import { GROUPS, webhookGroupName } from "../../stream/groups.ts";
import { kustomize } from "./kubectl.ts";
import {
  type KubernetesObject,
  k8s,
  nameOf,
  OVERLAYS,
  type Overlay,
  ofKind,
  overlayObjects,
  parseObjects,
} from "./objects.ts";
import { POLICIES } from "./policies/all.ts";
import { openConnections } from "./policies/network.ts";
import { receiversOf, workloadsIn } from "./workloads.ts";

/** The overlay with the first match replaced in the objects of a kind. */
const spoiled = (kind: string, right: string, wrong: string): readonly KubernetesObject[] => {
  let isDone = false;
  return overlayObjects("local").flatMap((object) => {
    const json = JSON.stringify(object);
    if (isDone || object.kind !== kind || !json.includes(right)) return [object];
    isDone = true;
    return parseObjects(json.replace(right, () => wrong));
  });
};

describe.each(OVERLAYS)("the overlay %s", (overlay) => {
  test.each(Object.entries(POLICIES))("keeps to the policy %s", (_, policy) => {
    expect(policy(overlayObjects(overlay))).toEqual([]);
  });
});

test.each([
  ["ExternalSecret", '"decodingStrategy":"None"', /remoteRef/],
  ["ExternalSecret", '"nullBytePolicy":"Ignore"', /remoteRef/],
  ["ExternalSecret", '"deletionPolicy":"Retain"', /deletionPolicy/],
  ["HTTPRoute", '"kind":"Gateway"', /parentRef/],
  ["HTTPRoute", '"weight":1', /backendRef/],
] as const)("a default of %s that the API server would add is missed: %s", (kind, stated, finding) => {
  const [object] = ofKind(overlayObjects("production"), kind);
  const [spoilt] = parseObjects(JSON.stringify(object).replaceAll(stated, '"x":"y"'));
  expect(POLICIES["defaults"]?.(spoilt === undefined ? [] : [spoilt]).join("\n")).toMatch(finding);
});

test("the namespace enforces the restricted standard, and no overlay deletes it with the Secrets in it", () => {
  const namespace = parseObjects(kustomize(join(k8s, "namespace")));
  expect(namespace.map(nameOf)).toEqual(["Namespace/signup"]);
  expect(POLICIES["podSecurity"]?.(namespace)).toEqual([]);
  const lax = parseObjects(JSON.stringify(namespace[0]).replace('enforce":"restricted"', 'enforce":"baseline"'));
  expect(POLICIES["podSecurity"]?.(lax)).toEqual(["Namespace/signup: does not enforce the restricted standard"]);
  for (const overlay of OVERLAYS) expect(ofKind(overlayObjects(overlay), "Namespace")).toEqual([]);
});

test("nothing in production goes away by itself: deleting all of it finds all of it", () => {
  const jobs = workloadsIn(overlayObjects("production")).filter(({ object }) => object.kind === "Job");
  expect(jobs.map(({ spec }) => spec["ttlSecondsAfterFinished"])).toEqual([undefined]);
});

test("each policy finds the faults that it is for", () => {
  const wrong: readonly (readonly [policy: string, kind: string, right: string, wrong: string, finding: RegExp])[] = [
    ["podSecurity", "Deployment", '"runAsNonRoot":true', '"runAsNonRoot":false', /may run as root/],
    ["podSecurity", "Deployment", '"readOnlyRootFilesystem":true', '"x":true', /may write to its image/],
    ["podSecurity", "Deployment", '"drop":["ALL"]', '"drop":["NET_RAW"]', /keeps capabilities/],
    ["podSecurity", "Deployment", '"automountServiceAccountToken":false', '"x":false', /gets a token/],
    ["podSecurity", "Deployment", '"serviceAccountName":"api"', '"serviceAccountName":"migrate"', /shares/],
    ["podSecurity", "StatefulSet", '"allowPrivilegeEscalation":false', '"x":false', /may gain privileges/],
    ["resources", "Deployment", '"limits":{', '"limits":{"cpu":"1",', /limit of CPU/],
    ["resources", "Deployment", '"cpu":"500m"', '"cpu":"2000m"', /writes otherwise/],
    ["resources", "Deployment", '"memory":"512Mi"', '"memory":"1024Mi"', /writes otherwise/],
    ["resources", "Job", '"requests":{"cpu"', '"requests":{"x"', /requests no CPU/],
    ["lifecycle", "Deployment", '"path":"/livez"', '"path":"/readyz"', /liveness/],
    ["lifecycle", "Deployment", '"containerPort":3000', '"containerPort":3001', /is not asked/],
    ["lifecycle", "ConfigMap", '"DRAIN_TIMEOUT_MS":"25000"', '"DRAIN_TIMEOUT_MS":"40000"', /before it has drained/],
    ["lifecycle", "Deployment", '"maxUnavailable":0', '"maxUnavailable":1', /replacement/],
    ["lifecycle", "Deployment", '"sleep":{"seconds":5}', '"sleep":{"seconds":1}', /load balancers/],
    ["lifecycle", "Deployment", "k8s/wait-for-schema.ts", "-", /migration/],
    ["lifecycle", "Deployment", '"CONSUMER_NAME"', '"NAME"', /name from the pod/],
    ["availability", "PodDisruptionBudget", '"maxUnavailable":1', '"maxUnavailable":0', /holds up a drain/],
    ["availability", "Deployment", "topology.kubernetes.io/zone", "-", /one zone/],
    [
      "availability",
      "Deployment",
      '"whenUnsatisfiable":"DoNotSchedule"',
      '"whenUnsatisfiable":"ScheduleAnyway"',
      /is lost/,
    ],
    ["availability", "Deployment", '"nodeTaintsPolicy":"Honor"', '"nodeTaintsPolicy":"Ignore"', /is lost/],
    ["availability", "Deployment", '"tolerationSeconds":30', '"tolerationSeconds":300', /for minutes/],
    ["defaults", "Deployment", '"fieldRef":{"apiVersion":"v1",', '"fieldRef":{', /fieldRef/],
    ["defaults", "StatefulSet", '"volumeMode":"Filesystem"', '"x":"y"', /volume claim/],
    ["defaults", "ScaledObject", '"advanced":{', '"advanced":{"restoreToOriginalReplicaCount":false,', /writes back/],
    ["references", "Service", '"targetPort":"http"', '"targetPort":"htpp"', /no container has/],
    ["references", "Deployment", '"name":"signup-api"', '"name":"signup-apis"', /nobody makes/],
    ["references", "TriggerAuthentication", '"key":"tls"', '"key":"ssl"', /nobody makes/],
    ["settings", "ConfigMap", '"RETRY_DELAY_MS"', '"RETRY_DELAY"', /which nobody reads/],
    ["settings", "ConfigMap", '"RETRY_DELAY_MS"', '"RETRY_DELAY"', /no manifest names RETRY_DELAY_MS:/],
    ["settings", "ConfigMap", '"RETRY_DELAY_MS":"30000"', '"RETRY_DELAY_MS":"three"', /would not start/],
    ["settings", "ConfigMap", '"RETRY_DELAY_MS":"30000"', '"SERVICE_TOKEN":"a-token-in-the-open"', /in a ConfigMap/],
    ["size", "ConfigMap", '"RETRY_DELAY_MS":"30000"', `"RETRY_DELAY_MS":"${"3".repeat(260_000)}"`, /too large/],
    ["images", "Deployment", "signup-stream:local", "signup-stream:other", /different images/],
    ["images", "StatefulSet", "postgres:17.6", "postgres:latest", /another one tomorrow/],
    [
      "scaling",
      "Deployment",
      '"revisionHistoryLimit":5,"selector":{"matchLabels":{"app.kubernetes.io/component":"consumer"',
      '"replicas":2,"selector":{"matchLabels":{"app.kubernetes.io/component":"consumer"',
      /and so does KEDA/,
    ],
    ["scaling", "ScaledObject", '"lagCount":"200"', '"lagcount":"200"', /pass over in silence/],
    ["scaling", "ScaledObject", "{signup}:retries:", "{signup}:retry:", /has no trigger/],
    ["scaling", "ScaledObject", '"activationLagCount":"0"', '"activationLagCount":"5"', /wake up/],
    ["scaling", "ScaledObject", '"cooldownPeriod":120', '"cooldownPeriod":30', /to zero before/],
    ["scaling", "ScaledObject", '"maxReplicaCount":10', '"maxReplicaCount":20', /bound/],
    ["scaling", "ScaledObject", '"pendingEntriesCount":"200"', '"pendingEntriesCount":"20"', /its own pods hold/],
    ["scaling", "Deployment", '"--group","welcome-email"', '"--group","welcome-mail"', /deployed/],
  ];
  for (const [policy, kind, right, replacement, finding] of wrong) {
    const found = POLICIES[policy]?.(spoiled(kind, right, replacement)) ?? [];
    expect(found.join("\n"), `${policy}: ${right} -> ${replacement}`).toMatch(finding);
  }
});

/** What a group's consumers may reach; the mail server and the receivers of webhooks only if they need it. */
const fromConsumers = (overlay: Overlay, postgres: string, redis: string, mailServer: string): readonly string[] => {
  const receivers = ofKind(overlayObjects(overlay), "ConfigMap").flatMap(({ data }) => receiversOf(data ?? {}));
  const reached: Readonly<Record<string, readonly string[]>> = {
    mail: [mailServer],
    webhooks: ["0.0.0.0/0:443", "::/0:443"],
  };
  const requirements = [
    ...GROUPS.map(({ name }) => [name, FACTORIES.get(name)?.requires ?? []] as const),
    ...receivers.map((receiver) => [webhookGroupName(receiver), requiredOfReceiver(receiver)] as const),
  ];
  return requirements.flatMap(([name, requires]) =>
    [postgres, redis, "monitoring:4318", ...needsOf(requires).flatMap((need) => reached[need] ?? [])].map(
      (to) => `consumer-${name} -> ${to}`,
    ),
  );
};

describe("the network", () => {
  test("allows exactly these connections in the local overlay", () => {
    const expected = [
      "api -> monitoring:4318",
      "api -> postgres:5432",
      "api -> redis:6379",
      ...fromConsumers("local", "postgres:5432", "redis:6379", "inbox:1025"),
      "gateway -> api:3000",
      "keda -> api:3000",
      "keda -> redis:6379",
      "migrate -> postgres:5432",
    ];
    expect(openConnections(overlayObjects("local"))).toEqual(expected.sort());
  });

  test("allows exactly these connections in production", () => {
    const expected = [
      "api -> 10.0.0.0/8:5432",
      "api -> 10.0.0.0/8:6379",
      "api -> monitoring:4318",
      ...fromConsumers("production", "10.0.0.0/8:5432", "10.0.0.0/8:6379", "0.0.0.0/0:587"),
      "gateway -> api:3000",
      "keda -> api:3000",
      "migrate -> 10.0.0.0/8:5432",
    ];
    expect(openConnections(overlayObjects("production"))).toEqual(expected.sort());
  });
});

test("k8s/group-manifests.ts has targets of groups that exist, and of no others", () => {
  const known = GROUPS.map(({ name }) => name);
  expect(Object.keys(OWN_TARGETS).filter((name) => !known.includes(name))).toEqual([]);
});

test("production contains no value of a Secret", () => {
  expect(ofKind(overlayObjects("production"), "Secret")).toEqual([]);
});
