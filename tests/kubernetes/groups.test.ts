import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { kustomize } from "./kubectl.ts";
import { k8s, parseObjects } from "./objects.ts";
import { availability } from "./policies/availability.ts";
import { podSecurity } from "./policies/pod-security.ts";
import { references } from "./policies/references.ts";
import { groupOf, scaling, scalingOf } from "./policies/scaling.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { faultsOf } from "./typed-program.ts";
import { oursIn } from "./workloads.ts";

/** The commands of a section of docs/kubernetes.md. */
const commandsOf = (section: string): string => {
  const text = readFileSync(join(k8s, "..", "docs", "kubernetes.md"), "utf8");
  const found = new RegExp(`## ${section}\\n[\\s\\S]*?\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
  if (found === undefined) throw new Error(`docs/kubernetes.md has no commands under "${section}"`);
  return found;
};

describe("adding a group, by the commands of docs/kubernetes.md", () => {
  test("gives it consumers, a budget and scaling of its own", async () => {
    using directory = temporaryDirectory("groups");
    const copied = Bun.spawnSync(["cp", "-R", k8s, directory.path]);
    expect(copied.exitCode).toBe(0);
    const added = Bun.spawnSync(["sh", "-eu", "-c", commandsOf("Adding a group")], { cwd: directory.path });
    expect(added.stderr.toString()).toBe("");
    const objects = parseObjects(kustomize(join(directory.path, "k8s", "overlays", "production")));

    const groups = oursIn(objects)
      .filter(({ component }) => component === "consumer")
      .map(({ pod }) => groupOf(pod.containers[0]?.args ?? []));
    expect(groups.sort()).toEqual(["webhooks", "welcome-email"]);
    const scaled = objects.filter(({ kind }) => kind === "ScaledObject").map(scalingOf);
    expect(scaled.map(({ scaleTargetRef }) => scaleTargetRef.name).sort()).toEqual([
      "consumer-webhooks",
      "consumer-welcome-email",
    ]);
    for (const policy of [availability, podSecurity, references]) expect(policy(objects)).toEqual([]);
    // Its name is not in the code yet, and that is all that is wrong.
    const faults = scaling(objects).filter((fault) => !fault.startsWith("the groups"));
    expect(faults).toEqual([]);
    expect((await faultsOf(objects)).flat()).toEqual([]);
  });
});
