import { z } from "zod";
import { type KubernetesObject, nameOf, ofKind } from "../objects.ts";
import { workloadsIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

const externalSecret = z.looseObject({
  target: z.record(z.string(), z.unknown()),
  data: z.array(z.looseObject({ remoteRef: z.record(z.string(), z.unknown()) })),
});
const httpRoute = z.looseObject({
  parentRefs: z.array(z.record(z.string(), z.unknown())),
  rules: z.array(z.looseObject({ backendRefs: z.array(z.record(z.string(), z.unknown())) })),
});
const scaledObject = z.looseObject({ advanced: z.record(z.string(), z.unknown()).default({}) });
const statefulSet = z.looseObject({
  volumeClaimTemplates: z
    .array(
      z.looseObject({
        apiVersion: z.string().optional(),
        kind: z.string().optional(),
        spec: z.record(z.string(), z.unknown()),
      }),
    )
    .default([]),
});

/** What the API server writes into each item of these lists. */
const REMOTE = {
  conversionStrategy: "Default",
  decodingStrategy: "None",
  metadataPolicy: "None",
  nullBytePolicy: "Ignore",
};
const PARENT = { group: "gateway.networking.k8s.io", kind: "Gateway" };
const BACKEND = { group: "", kind: "Service", weight: 1 };

const states = (item: Readonly<Record<string, unknown>>, defaults: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(defaults).every(([key]) => item[key] !== undefined);

const ofExternalSecret = (object: KubernetesObject) => {
  const { target, data } = externalSecret.parse(object.spec);
  return unless(
    nameOf(object),
    [data.every(({ remoteRef }) => states(remoteRef, REMOTE)), "leaves defaults of a remoteRef to the API server"],
    [target["deletionPolicy"] !== undefined, "leaves the deletionPolicy of its target to the API server"],
  );
};

const ofRoute = (object: KubernetesObject) => {
  const { parentRefs, rules } = httpRoute.parse(object.spec);
  const backends = rules.flatMap(({ backendRefs }) => backendRefs);
  return unless(
    nameOf(object),
    [parentRefs.every((parent) => states(parent, PARENT)), "leaves defaults of a parentRef to the API server"],
    [backends.every((backend) => states(backend, BACKEND)), "leaves defaults of a backendRef to the API server"],
  );
};

const ofScaledObject = (object: KubernetesObject) =>
  unless(nameOf(object), [
    scaledObject.parse(object.spec).advanced["restoreToOriginalReplicaCount"] !== false,
    "states a false that KEDA writes back without it",
  ]);

const ofStatefulSet = (object: KubernetesObject) =>
  unless(nameOf(object), [
    statefulSet
      .parse(object.spec)
      .volumeClaimTemplates.every(
        ({ apiVersion, kind, spec }) =>
          apiVersion !== undefined && kind !== undefined && spec["volumeMode"] !== undefined,
      ),
    "leaves defaults of a volume claim to the API server",
  ]);

/**
 * Where the API server replaces a list or a structure as a whole, a default that it adds is a difference to what is applied: each
 * `kubectl diff` shows it, a server-side apply by another manager conflicts, and GitOps reports OutOfSync. There the defaults are
 * stated; and nothing is that a controller writes back without.
 */
export const defaults: Policy = (objects) => [
  ...ofKind(objects, "ExternalSecret").flatMap(ofExternalSecret),
  ...ofKind(objects, "HTTPRoute").flatMap(ofRoute),
  ...ofKind(objects, "ScaledObject").flatMap(ofScaledObject),
  ...ofKind(objects, "StatefulSet").flatMap(ofStatefulSet),
  ...workloadsIn(objects).flatMap(({ name, containers }) =>
    unless(name, [
      containers.every(({ env }) =>
        env.every(({ valueFrom }) => valueFrom?.fieldRef === undefined || valueFrom.fieldRef["apiVersion"] === "v1"),
      ),
      "leaves the apiVersion of a fieldRef to the API server",
    ]),
  ),
];
