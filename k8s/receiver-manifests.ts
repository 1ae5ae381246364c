import { receiverVariable, requiredOfReceiver } from "../settings/webhooks.ts";
import { webhookGroupName } from "../stream/groups.ts";
import { consumersOf, KUSTOMIZATION, manifest, triggersOf } from "./group-manifests.ts";
import { fromStore } from "./secrets.ts";

/** What the manifests of receivers depend on. */
export interface ReceiverSurroundings {
  /** Names of receivers, as `WEBHOOKS` has them. */
  readonly receivers: readonly string[];
  /** Names of the overlay's components. */
  readonly components: readonly string[];
  readonly streamName: string;
}

/** The way from a receiver's folder to `k8s/`. */
const UP = "../../../../..";

/** The Secret of a receiver. */
const secretName = (receiver: string): string => `signup-${webhookGroupName(receiver)}`;

/** The secret; and the URL, if the Secret has one. Otherwise that comes from the settings. */
const environmentPatch = (receiver: string): string => {
  const name = secretName(receiver);
  const env = [
    { key: receiverVariable(receiver, "SECRET") },
    { key: receiverVariable(receiver, "URL"), optional: true },
  ].map((reference) => ({ name: reference.key, valueFrom: { secretKeyRef: { name, ...reference } } }));
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "consumer" },
    spec: { template: { spec: { containers: [{ name: "consumer", env }] } } },
  });
};

const externalSecret = (receiver: string): string => {
  const name = secretName(receiver);
  const key = receiverVariable(receiver, "SECRET");
  return manifest(`the Secret of the receiver ${receiver}.`, {
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name },
    spec: {
      refreshInterval: "1h",
      secretStoreRef: { kind: "ClusterSecretStore", name: "signup" },
      target: { name, creationPolicy: "Owner", deletionPolicy: "Retain" },
      data: [fromStore(name, key)],
    },
  });
};

const consumers = (receiver: string, isScaled: boolean): string => {
  const group = { name: webhookGroupName(receiver), requires: requiredOfReceiver(receiver), isDelayed: false };
  const { resources, patches, ...rest } = consumersOf(group, `${UP}/base/consumers`);
  const forDeployment = (patch: string) => ({ target: { kind: "Deployment" }, patch });
  return manifest(`the consumers of the receiver ${receiver}.`, {
    ...rest,
    resources: isScaled ? [...resources, `${UP}/components/keda/scaled-object`] : resources,
    patches: [
      ...patches,
      forDeployment(environmentPatch(receiver)),
      // As the component `keda` does for the groups of the code: it sees only what comes before it.
      ...(isScaled ? [forDeployment("- op: remove\n  path: /spec/replicas"), { path: "triggers.yaml" }] : []),
    ],
  });
};

/** The manifests of the groups of receivers: path below their folder -> content. */
export const receiverManifests = ({
  receivers,
  components,
  streamName,
}: ReceiverSurroundings): ReadonlyMap<string, string> => {
  const isScaled = components.includes("keda");
  const hasSecrets = components.includes("external-secrets");
  const names = receivers.map(webhookGroupName);
  const list = manifest("one folder per receiver of webhooks.", {
    ...KUSTOMIZATION,
    namespace: "signup",
    resources: [...names, ...(hasSecrets ? names.map((name) => `${name}/secret.yaml`) : [])],
    labels: [
      { pairs: { "app.kubernetes.io/name": "signup-stream" }, includeSelectors: true, includeTemplates: true },
      {
        pairs: { "app.kubernetes.io/part-of": "signup", "app.kubernetes.io/managed-by": "kustomize" },
        includeTemplates: true,
      },
    ],
  });
  return new Map([
    ["kustomization.yaml", list],
    ...receivers.flatMap((receiver) => {
      const name = webhookGroupName(receiver);
      const group = { name, requires: requiredOfReceiver(receiver), isDelayed: false };
      return [
        [`${name}/kustomization.yaml`, consumers(receiver, isScaled)] as const,
        ...(isScaled ? [[`${name}/triggers.yaml`, triggersOf(group, streamName)] as const] : []),
        ...(hasSecrets ? [[`${name}/secret.yaml`, externalSecret(receiver)] as const] : []),
      ];
    }),
  ]);
};
