import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { kubernetesFiles } from "../../k8s/generate.ts";
import { readOverlay } from "../../k8s/overlay.ts";
import { sizingFor } from "../../k8s/sizing.ts";
import { CAPACITY_CONSTANTS } from "../../runtime/capacity/constants.ts";
import { capacityFor } from "../../runtime/capacity/model.ts";
import { kustomize } from "./kubectl.ts";
import { type KubernetesObject, k8s, ofKind, overlayObjects, parseObjects } from "./objects.ts";
import { POLICIES } from "./policies/all.ts";
import { scalingOf } from "./policies/scaling.ts";
import { copyOfManifests, temporaryDirectory } from "./temporary-directory.ts";
import { oursIn } from "./workloads.ts";

const PROGRAM = join(k8s, "generate.ts");

/** The values of the manifests that follow from a size. */
const valuesOf = (objects: readonly KubernetesObject[]) => {
  const deployments = oursIn(objects).filter(({ object }) => object.kind === "Deployment");
  const cpuOf = (component: string) =>
    deployments
      .filter((of) => of.component === component)
      .map(({ pod }) => pod.containers[0]?.resources?.requests["cpu"]);
  const scaled = ofKind(objects, "ScaledObject").map(scalingOf);
  const targets = (key: string) =>
    scaled.flatMap(({ triggers }) => triggers.flatMap(({ metadata }) => metadata[key] ?? []));
  const one = <Value>(values: readonly Value[]): Value | undefined => {
    expect(new Set(values).size).toBe(1);
    return values[0];
  };
  return {
    apiReplicas: deployments.find(({ component }) => component === "api")?.spec.replicas,
    apiCpu: one(cpuOf("api")),
    consumerCpu: one(cpuOf("consumer")),
    maxConsumers: one(scaled.map(({ maxReplicaCount }) => maxReplicaCount)),
    lagTarget: Number(one(targets("lagCount"))),
    backlogTarget: Number(one(targets("targetValue"))),
  };
};

const generate = (...args: readonly string[]) => {
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, PROGRAM, ...args], { env: process.env });
  return { out: stdout.toString(), err: stderr.toString(), code: exitCode };
};

describe("the size that an overlay states", () => {
  test("production has what the model says for it, and names the connections that it needs", () => {
    const { size } = readOverlay(k8s, "production");
    if (size === undefined) throw new Error("production states no size");
    const { api, scaling } = capacityFor(size);
    const found = valuesOf(overlayObjects("production"));
    expect(found).toMatchObject({
      apiReplicas: api.replicas,
      maxConsumers: scaling.maxReplicas,
      lagTarget: scaling.lagTarget,
      backlogTarget: 10_000 / scaling.maxReplicas,
    });
    // Rounded up to a tenth of a core.
    expect(found.apiCpu).toBe(`${Math.ceil((10 * api.cores) / api.replicas) * 100}m`);
    const written = readFileSync(join(k8s, "overlays", "production", "from-settings", "kustomization.yaml"), "utf8");
    expect(written).toContain(
      "# For 1,000,000 signups a day, 10 times the average at the peak, and 500 ms for a mail.",
    );
    expect(written).toContain("# At most 146 connections to Postgres and 300 to the mail server.");
  });

  test("another one changes each value, a rate of mail bounds it, and what is no size is refused by the file's name", async () => {
    using copy = copyOfManifests("size");
    const folder = join(copy.path, "k8s");
    const overlay = join(folder, "overlays", "production");
    const size = join(overlay, "size.yaml");
    const component = async () =>
      (await kubernetesFiles(folder)).get("k8s/overlays/production/from-settings/kustomization.yaml") ?? "";
    writeFileSync(size, "signups-per-day: 50000000\npeak-factor: 3\nmail-latency: 500ms\n");
    expect(await component()).toMatch(/maxReplicaCount\n\s+value: 67\n/);

    const file = join(overlay, "kustomization.yaml");
    const settings = readFileSync(file, "utf8");
    const withSetting = (literal: string) =>
      writeFileSync(file, settings.replace("      - PUBLIC_URL", `      - ${literal}\n      - PUBLIC_URL`));
    withSetting("MAIL_RATE_PER_SECOND=1000");
    const bounded = await component();
    expect(bounded).toMatch(
      /name: consumer-welcome-email\n\s+patch: \|-\n\s+- op: replace\n\s+path: \S+\n\s+value: 27/,
    );
    expect(bounded).not.toContain("name: consumer-payments");
    withSetting("MAIL_POOL_SIZE=40");
    expect(await component()).toMatch(/lagCount\n\s+value: "372"/);

    writeFileSync(size, "signups-per-day: many\npeak-factor: 3\nmail-latency: 500ms\n");
    await expect(component()).rejects.toThrow("k8s/overlays/production/size.yaml: ");
  });

  test("with an autoscaler of the api its bound follows, and the Deployment has no number", async () => {
    using copy = copyOfManifests("size");
    const overlay = join(copy.path, "k8s", "overlays", "production");
    const file = join(overlay, "kustomization.yaml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("  - from-settings", "  - ../../components/api-autoscaling\n  - from-settings"));
    writeFileSync(join(overlay, "size.yaml"), "signups-per-day: 20000000\npeak-factor: 3\nmail-latency: 500ms\n");
    for (const [path, content] of await kubernetesFiles(join(copy.path, "k8s"))) {
      if (content !== undefined) writeFileSync(join(copy.path, path), content);
    }
    const objects = parseObjects(kustomize(overlay));
    const [autoscaler] = ofKind(objects, "HorizontalPodAutoscaler");
    expect(autoscaler?.spec).toMatchObject({ minReplicas: 3, maxReplicas: 14 });
    expect(valuesOf(objects).apiReplicas).toBeUndefined();
    // At the peak the request is used to the share at which the autoscaler adds a pod.
    expect(JSON.stringify(autoscaler?.spec)).toContain(
      `"averageUtilization":${100 * CAPACITY_CONSTANTS.utilisation.value}`,
    );
    writeFileSync(file, text.replace("  - from-settings", "  - from-settings\n  - ../../components/api-autoscaling"));
    await expect(kubernetesFiles(join(copy.path, "k8s"))).rejects.toThrow("after keda and api-autoscaling");
  });
});

describe("k8s/generate.ts", () => {
  test("writes an overlay for a size, which keeps to every policy", () => {
    using directory = temporaryDirectory("sized");
    const load = ["--signups-per-day", "20000000", "--peak-factor", "4", "--mail-latency", "1s"];
    const written = generate(...load, "--out", directory.path);
    expect(written.code).toBe(0);
    const objects = parseObjects(kustomize(directory.path));
    expect(Object.entries(POLICIES).flatMap(([policy, find]) => find(objects).map((of) => `${policy}: ${of}`))).toEqual(
      [],
    );
    const size = { signupsPerDay: 20_000_000, peakFactor: 4, mailLatencyMs: 1_000 };
    const { apiReplicas, apiCpu, consumerCpu, maxConsumers, lagTarget, backlogTarget } = sizingFor(size, []);
    expect(valuesOf(objects)).toEqual({ apiReplicas, apiCpu, consumerCpu, maxConsumers, lagTarget, backlogTarget });
    expect([apiReplicas, maxConsumers, lagTarget, backlogTarget]).toEqual([19, 72, 93, 138]);
  });

  test("prints it without --out, says what one instance does not bear, and refuses what is no load", () => {
    const printed = generate("--signups-per-day", "100000000");
    expect(printed).toMatchObject({ code: 0, err: expect.stringContaining("put a pooler before it") });
    expect(z.looseObject({ kind: z.string() }).parse(Bun.YAML.parse(printed.out)).kind).toBe("Kustomization");
    for (const words of [
      [],
      ["--signups-per-day", "0"],
      ["--signups-per-day", "1", "--mail-latency", "500"],
      ["--x"],
    ]) {
      expect(generate(...words)).toMatchObject({
        code: 64,
        err: expect.stringContaining("usage: bun k8s/generate.ts"),
      });
    }
    expect(generate("--signups-per-day", "1", "--overlay", "none")).toMatchObject({
      code: 1,
      err: "k8s/overlays has no none\n",
    });
  });
});
