import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { kubernetesFiles } from "../../k8s/generate.ts";
import { createGenerator } from "../../local/generate.ts";
import { kustomize } from "./kubectl.ts";
import { beyond, type KubernetesObject, ofKind, parseObjects } from "./objects.ts";
import { POLICIES } from "./policies/all.ts";
import { openConnections } from "./policies/network.ts";
import { secretKeysIn } from "./policies/references.ts";
import { scalingOf } from "./policies/scaling.ts";
import { copyOfManifests } from "./temporary-directory.ts";
import { faultsOf } from "./typed-program.ts";

const authentication = z.looseObject({
  secretTargetRef: z.array(z.looseObject({ parameter: z.string(), name: z.string(), key: z.string() })),
});

/** The production overlay with one component more, and a receiver of webhooks. */
const productionWith = async (component: string): Promise<readonly KubernetesObject[]> => {
  using copy = copyOfManifests("topology");
  const overlay = join(copy.path, "k8s", "overlays", "production");
  const file = join(overlay, "kustomization.yaml");
  const settings = ["WEBHOOKS=crm", "WEBHOOK_CRM_URL=https://crm.example"].map((literal) => `      - ${literal}\n`);
  const written = readFileSync(file, "utf8")
    .replace("  - release\n", `  - release\n  - ../../components/${component}\n`)
    .replace("      - PUBLIC_URL", `${settings.join("")}      - PUBLIC_URL`);
  writeFileSync(file, written);
  await createGenerator("kubernetes", () => kubernetesFiles(join(copy.path, "k8s")), copy.path).run();
  return parseObjects(kustomize(overlay));
};

const findings = (objects: readonly KubernetesObject[]) =>
  Object.entries(POLICIES).flatMap(([policy, find]) => find(objects).map((found) => `${policy}: ${found}`));

describe("KEDA counts where the primary changes place", () => {
  test.each([
    [
      "sentinel",
      ["addresses", "username", "password", "tls", "sentinelMaster", "sentinelUsername", "sentinelPassword"],
    ],
    ["cluster", ["addresses", "username", "password", "tls"]],
  ] as const)(
    "%s: every trigger of every group has its type and what that asks for, and no other changes",
    async (kind, parameters) => {
      const objects = await productionWith(`keda-redis-${kind}`);
      expect(findings(objects)).toEqual([]);
      const changed = beyond("production", objects);
      expect(new Set(changed.map(({ kind }) => kind))).toContain("ScaledObject");
      expect((await faultsOf(changed)).flat()).toEqual([]);
      const scaled = ofKind(objects, "ScaledObject").map(scalingOf);
      const types = scaled.flatMap(({ triggers }) => triggers.map(({ type }) => type));
      expect(new Set(types)).toEqual(new Set([`redis-${kind}-streams`, `redis-${kind}`, "metrics-api"]));
      for (const { triggers } of scaled) {
        for (const { type, metadata } of triggers) {
          expect(type.endsWith("-streams")).toBe("stream" in metadata);
          expect(type === `redis-${kind}`).toBe("listName" in metadata);
        }
      }
      const redis = ofKind(objects, "TriggerAuthentication").find(({ metadata }) => metadata.name === "redis");
      const { secretTargetRef } = authentication.parse(redis?.spec);
      expect(secretTargetRef.map(({ parameter }) => parameter)).toEqual([...parameters]);
      // The Secret has what is asked for, and nothing that nobody asks for.
      const keys = [...secretKeysIn(objects)].filter((key) => key.startsWith("signup-keda/"));
      expect(keys).toEqual(secretTargetRef.map(({ name, key }) => `${name}/${key}`));
      expect(openConnections(objects).includes("api -> 10.0.0.0/8:26379")).toBe(kind === "sentinel");
    },
    60_000,
  );

  test("a way that lacks what its type asks for is found out", async () => {
    const objects = await productionWith("keda-redis-sentinel");
    const spoilt = objects.flatMap((object) =>
      parseObjects(JSON.stringify(object).replace('"parameter":"sentinelMaster"', '"parameter":"ca"')),
    );
    expect(findings(spoilt).join("\n")).toContain("needs addresses and sentinelMaster");
    const mixed = objects.map((object) =>
      object.metadata.name === "consumer-payments" && object.kind === "ScaledObject"
        ? {
            ...object,
            spec: JSON.parse(JSON.stringify(object.spec).replace("redis-sentinel-streams", "redis-streams")),
          }
        : object,
    );
    expect(findings(mixed).join("\n")).toContain("looks for Redis in two ways");
  });
});
