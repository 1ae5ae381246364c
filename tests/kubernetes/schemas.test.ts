import { describe, expect, test } from "bun:test";
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

describe("the rendered manifests", () => {
  test("of each overlay match their types, without unknown keys, and their schemas", async () => {
    const faults = await faultsOf(OVERLAYS.flatMap((overlay) => [...overlayObjects(overlay)]));
    expect(faults.flat()).toEqual([]);
  });

  test("with the components that no overlay has match them too", async () => {
    using directory = temporaryDirectory("ingress");
    const overlay = {
      resources: ["../../k8s/base"],
      components: ["ingress", "keda", "api-autoscaling", "scraping", "priority"].map(
        (name) => `../../k8s/components/${name}`,
      ),
    };
    writeFileSync(join(directory.path, "kustomization.yaml"), stringify(overlay));
    const objects = parseObjects(kustomize(directory.path));
    const kinds = ["Ingress", "HorizontalPodAutoscaler", "PodMonitor", "PriorityClass"];
    const added = objects.filter(({ kind }) => kinds.includes(kind));
    expect(added).toHaveLength(kinds.length);
    expect((await faultsOf([...added, ...ofKind(objects, "Deployment")])).flat()).toEqual([]);
  });

  test("are caught when they are wrong", async () => {
    const wrong: readonly (readonly [kind: string, right: string, wrong: string])[] = [
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
    const objects = wrong.map(([kind, right, replacement]) => spoiled(firstOf(kind), right, replacement));
    const faults = await faultsOf(objects);
    const missed = wrong.filter((_, index) => faults[index]?.length === 0);
    expect(missed).toEqual([]);
  });
});
