import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { kustomize } from "../kubernetes/kubectl.ts";
import { type KubernetesObject, k8s, nameOf, OVERLAYS, ofKind, parseObjects } from "../kubernetes/objects.ts";
import { POLICIES } from "../kubernetes/policies/all.ts";
import { temporaryDirectory } from "../kubernetes/temporary-directory.ts";
import { faultsOf } from "../kubernetes/typed-program.ts";

/** In the order in which an overlay lists them: those that change what others add come last. */
const ORDER = [
  ...["console", "keda", "api-autoscaling", "always-on", "network-policy", "monitoring", "scraping", "priority"],
  ...["external-secrets", "gateway", "ingress", "keda-redis-sentinel", "keda-redis-cluster"],
];
/** Components that contain what others change, or that are two ways of one thing. */
const NEEDS: Readonly<Record<string, string>> = { scraping: "monitoring" };
const EITHER = ["keda-redis-sentinel", "keda-redis-cluster"];

const kustomization = z.looseObject({ components: z.array(z.string()) });

/** What an overlay has already. */
const listedBy = (overlay: string): readonly string[] => {
  const text = readFileSync(join(k8s, "overlays", overlay, "kustomization.yaml"), "utf8");
  return kustomization.parse(parse(text)).components.map((path) => basename(path));
};

const rendered = (resource: string, components: readonly string[]): readonly KubernetesObject[] => {
  using directory = temporaryDirectory("combination");
  const overlay = {
    resources: [`../../k8s/${resource}`],
    components: components.map((name) => `../../k8s/components/${name}`),
  };
  writeFileSync(join(directory.path, "kustomization.yaml"), stringify(overlay));
  return parseObjects(kustomize(directory.path));
};

const withNeeds = (names: readonly string[]): readonly string[] => {
  const all = new Set([...names, ...names.flatMap((name) => NEEDS[name] ?? [])]);
  return ORDER.filter((name) => all.has(name));
};

/** Each object once, by its name. */
const doubles = (objects: readonly KubernetesObject[]) => {
  const names = objects.map((object) => `${object.metadata.namespace ?? ""}/${nameOf(object)}`);
  return names.filter((name, at) => names.indexOf(name) !== at);
};

test("the list of components is complete", () => {
  expect(ORDER.toSorted()).toEqual(readdirSync(join(k8s, "components")).toSorted());
});

test("the base builds with each component, and with each pair of them, to objects of the right types", async () => {
  const pairs = ORDER.flatMap((one, at) => ORDER.slice(at).map((other) => withNeeds([one, other])));
  const combinations = pairs.filter((names) => !EITHER.every((name) => names.includes(name)));
  const kinds = new Map<string, KubernetesObject>();
  for (const names of combinations) {
    const objects = rendered("base", names);
    expect([names, doubles(objects)]).toEqual([names, []]);
    for (const object of objects) kinds.set(JSON.stringify(object), object);
    // Whoever counts owns the number, and nobody else.
    const scaled = ofKind(objects, "ScaledObject").length > 0;
    expect([names, scaled]).toEqual([names, names.includes("keda")]);
  }
  expect((await faultsOf([...kinds.values()])).flat()).toEqual([]);
}, 300_000);

test.each(OVERLAYS)(
  "the overlay %s keeps to every policy with each component that it does not have",
  (overlay) => {
    const listed = listedBy(overlay);
    for (const name of ORDER.filter((of) => !listed.includes(of))) {
      const names = withNeeds([name]).filter((of) => !listed.includes(of));
      const objects = rendered(`overlays/${overlay}`, names);
      const found = Object.entries(POLICIES).flatMap(([policy, find]) => find(objects).map((of) => `${policy}: ${of}`));
      // The local Secret is of its one Redis; the local overlay makes its Secrets itself.
      const ofSentinels = found.filter((finding) => !/Secret signup-keda, which nobody makes/.test(finding));
      expect([names, overlay === "local" ? ofSentinels : found]).toEqual([names, []]);
    }
  },
  300_000,
);
