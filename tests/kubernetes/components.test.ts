import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { kustomize } from "./kubectl.ts";
import { type KubernetesObject, k8s, nameOf, ofKind, overlayObjects, parseObjects } from "./objects.ts";
import { POLICIES } from "./policies/all.ts";
import { openConnections } from "./policies/network.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { oursIn } from "./workloads.ts";

/** What an overlay on top of production, or of the base, would apply. */
const rendered = (kustomization: object): readonly KubernetesObject[] => {
  using directory = temporaryDirectory("components");
  writeFileSync(join(directory.path, "kustomization.yaml"), stringify(kustomization));
  return parseObjects(kustomize(directory.path));
};

const findings = (objects: readonly KubernetesObject[]) =>
  Object.entries(POLICIES).flatMap(([policy, find]) => find(objects).map((found) => `${policy}: ${found}`));

const component = (name: string) => `../../k8s/components/${name}`;

/** An overlay that takes the optional components, on top of production. */
const OPTIONAL = {
  resources: ["../../k8s/overlays/production"],
  components: ["api-autoscaling", "scraping", "priority"].map(component),
};

const INSTANCE = {
  resources: ["../../k8s/overlays/production"],
  namespace: "shop",
  namePrefix: "shop-",
  transformers: ["../../k8s/instance"],
};

test("the optional components keep to every policy", () => {
  const objects = rendered(OPTIONAL);
  expect(findings(objects)).toEqual([]);
  expect(new Set(oursIn(objects).map(({ pod, component: of }) => `${of}: ${pod.priorityClassName}`))).toEqual(
    new Set(["api: signup", "consumer: signup", "migrate: undefined"]),
  );
  // Prometheus may scrape, and nothing else changes.
  const opened = openConnections(objects).filter((one) => !openConnections(overlayObjects("production")).includes(one));
  expect(opened).toContain("monitoring -> api:9464");
  expect(opened.every((one) => /^monitoring -> (api|consumer-[\w-]+):9464$/.test(one))).toBe(true);
});

test("an instance with a namespace and a prefix of its own shares no name with another, and every reference follows", () => {
  const objects = rendered(INSTANCE);
  expect(findings(objects)).toEqual([]);
  const first = overlayObjects("production");
  expect(objects.filter(({ metadata }) => !metadata.name.startsWith("shop-")).map(nameOf)).toEqual([]);
  expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(["shop"]));
  expect(objects).toHaveLength(first.length);

  // In no text is the first one left; the names of Secrets are of one namespace.
  const text = JSON.stringify(objects.filter(({ kind }) => kind !== "ConfigMap" && kind !== "PrometheusRule"));
  expect(text).not.toContain(".signup.svc");
  expect(text).not.toContain('"key":"signup-');
  const withoutPrefix = openConnections(objects).map((one) => one.replaceAll("shop-", ""));
  expect(withoutPrefix.map((one) => one.replace(/migrate[\w-]*/, "migrate")).sort()).toEqual(
    [...openConnections(first)].sort(),
  );
});

test("an instance may have a namespace alone", () => {
  const { namePrefix: _, ...instance } = INSTANCE;
  const objects = rendered(instance);
  expect(findings(objects)).toEqual([]);
  expect(JSON.stringify(ofKind(objects, "ScaledObject"))).toContain(
    "http://api.shop.svc.cluster.local/api/v1/backlog/payments",
  );
});

test("an instance with a pipeline of its own: KEDA counts in it", () => {
  const settings = { name: "settings", namespace: "signup", behavior: "merge", literals: ["STREAM_NAME=shop.2"] };
  const objects = rendered({ ...INSTANCE, configMapGenerator: [settings] });
  expect(findings(objects)).toEqual([]);
  const text = JSON.stringify(ofKind(objects, "ScaledObject"));
  expect(text).toContain('"{shop.2}:events"');
  expect(text).not.toContain("{signup}");
  const { transformers: _, ...without } = INSTANCE;
  const left = rendered({ ...without, namePrefix: "", namespace: "signup", configMapGenerator: [settings] });
  expect(findings(left).join("\n")).toContain("has no trigger redis-streams");
});

test("an instance without what makes references follow is found out", () => {
  const { transformers: _, ...without } = INSTANCE;
  expect(findings(rendered(without)).join("\n")).toContain("has no trigger metrics-api");
});

test.each(["argo-cd", "flux"])("the example for %s applies what is in this repository", (name) => {
  const documents = parseAllDocuments(readFileSync(join(k8s, "gitops", `${name}.yaml`), "utf8"));
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const paths = [...JSON.stringify(documents.map((document) => document.toJS())).matchAll(/"path":"([^"]+)"/g)];
  expect(paths.length).toBeGreaterThan(0);
  for (const [, path = ""] of paths) expect(existsSync(join(k8s, "..", path, "kustomization.yaml"))).toBe(true);
});
