import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { kustomize } from "./kubectl.ts";
import { type KubernetesObject, OVERLAYS, ofKind, overlayObjects, parseObjects } from "./objects.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { faultsOf } from "./typed-program.ts";

const firstOf = (kind: string): KubernetesObject => {
  const found = overlayObjects("production").find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`production has no ${kind}`);
  return found;
};

/** A copy with the first occurrence of a piece of its JSON replaced. */
const spoiled = (object: KubernetesObject, right: string, wrong: string): KubernetesObject => {
  const json = JSON.stringify(object);
  if (!json.includes(right)) throw new Error(`${object.kind} has no ${right}`);
  const [spoilt] = parseObjects(json.replace(right, () => wrong));
  if (spoilt === undefined) throw new Error("nothing was parsed");
  return spoilt;
};

const ADDED_KINDS = ["Ingress", "HorizontalPodAutoscaler", "PodMonitor", "PriorityClass"];

/** What the components that no overlay has add, and the Deployments that they change. */
const withOtherComponents = (): readonly KubernetesObject[] => {
  using directory = temporaryDirectory("ingress");
  const overlay = {
    resources: ["../../k8s/base"],
    components: ["ingress", "keda", "api-autoscaling", "scraping", "priority"].map(
      (name) => `../../k8s/components/${name}`,
    ),
  };
  writeFileSync(join(directory.path, "kustomization.yaml"), stringify(overlay));
  const objects = parseObjects(kustomize(directory.path));
  return [...objects.filter(({ kind }) => ADDED_KINDS.includes(kind)), ...ofKind(objects, "Deployment")];
};

const WRONG: readonly (readonly [kind: string, right: string, wrong: string])[] = [
  ["Deployment", '"livenessProbe"', '"livenesProbe"'],
  ["Deployment", '"replicas":3', '"replica":3'],
  ["Deployment", '"memory":"512Mi"', '"memory":"512 MB"'],
  ["Deployment", '"runAsNonRoot":true', '"runAsNonroot":true'],
  ["Deployment", '"preStop":{"sleep"', '"preStop":{"wait"'],
  ["Job", '"backoffLimit":6', '"backoffLimit":"six"'],
  ["Job", '"restartPolicy"', '"restartpolicy"'],
  ["Service", '"targetPort"', '"targetport"'],
  ["NetworkPolicy", '"podSelector"', '"podselector"'],
  ["PodDisruptionBudget", '"maxUnavailable"', '"maxUnavailables"'],
  ["ScaledObject", '"maxReplicaCount"', '"maxReplicas"'],
  ["ScaledObject", '"lagCount":"186"', '"lagCount":186'],
  ["ScaledObject", '"behavior":"currentReplicasIfHigher"', '"behavior":"higher"'],
  ["ScaledObject", '"stabilizationWindowSeconds":0', '"stabilisationWindowSeconds":0'],
  ["TriggerAuthentication", '"secretTargetRef"', '"secretTargetRefs"'],
  ["HTTPRoute", '"backendRefs"', '"backends"'],
  ["ExternalSecret", '"secretKey"', '"secretkey"'],
];

type Faults = readonly (readonly string[])[];

describe("the rendered manifests", () => {
  let others: readonly KubernetesObject[];
  let faults: Readonly<Record<"overlays" | "others" | "wrong", Faults>>;

  // Of all at once: most of what the compiler does is to read the types of Kubernetes.
  beforeAll(async () => {
    const overlays = OVERLAYS.flatMap((overlay) => [...overlayObjects(overlay)]);
    others = withOtherComponents();
    const wrong = WRONG.map(([kind, right, replacement]) => spoiled(firstOf(kind), right, replacement));
    const all = await faultsOf([...overlays, ...others, ...wrong]);
    const wrongFrom = overlays.length + others.length;
    faults = {
      overlays: all.slice(0, overlays.length),
      others: all.slice(overlays.length, wrongFrom),
      wrong: all.slice(wrongFrom),
    };
  }, 120_000);

  test("of each overlay match their types, without unknown keys, and their schemas", () => {
    expect(faults.overlays.length).toBeGreaterThan(0);
    expect(faults.overlays.flat()).toEqual([]);
  });

  test("with the components that no overlay has match them too", () => {
    expect(others.filter(({ kind }) => kind !== "Deployment")).toHaveLength(ADDED_KINDS.length);
    expect(faults.others.flat()).toEqual([]);
  });

  test("are caught when they are wrong", () => {
    expect(WRONG.filter((_, index) => faults.wrong[index]?.length === 0)).toEqual([]);
  });
});
