import { describe, expect, test } from "bun:test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kustomize } from "./kubectl.ts";
import { type KubernetesObject, k8s, ofKind, parseObjects } from "./objects.ts";
import { scalingOf } from "./policies/scaling.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The production overlay with one component more. */
const productionWith = (component: string): readonly KubernetesObject[] => {
  using temporary = temporaryDirectory("topology");
  const copy = join(temporary.path, "k8s");
  cpSync(k8s, copy, { recursive: true });
  const dashboards = join("observability", "dashboards");
  cpSync(join(k8s, "..", dashboards), join(temporary.path, dashboards), { recursive: true });
  const overlay = join(copy, "overlays", "production");
  const file = join(overlay, "kustomization.yaml");
  const written = readFileSync(file, "utf8");
  writeFileSync(file, written.replace("  - release\n", `  - release\n  - ../../components/${component}\n`));
  return parseObjects(kustomize(overlay));
};

describe("KEDA counts where the primary changes place", () => {
  test.each(["sentinel", "cluster"])(
    "%s: every trigger of every group has its type, and no other changes",
    (kind) => {
      const objects = productionWith(`keda-redis-${kind}`);
      const types = ofKind(objects, "ScaledObject").flatMap((object) =>
        scalingOf(object).triggers.map(({ type }) => type),
      );
      expect(new Set(types)).toEqual(new Set([`redis-${kind}-streams`, `redis-${kind}`, "metrics-api"]));
      const scaled = ofKind(objects, "ScaledObject").map(scalingOf);
      for (const { triggers } of scaled) {
        for (const { type, metadata } of triggers) {
          expect(type.endsWith("-streams")).toBe("stream" in metadata);
          expect(type === `redis-${kind}`).toBe("listName" in metadata);
        }
      }
      const authentication = JSON.stringify(ofKind(objects, "TriggerAuthentication"));
      expect(authentication.includes("sentinelMaster")).toBe(kind === "sentinel");
    },
    60_000,
  );
});
