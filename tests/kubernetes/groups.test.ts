import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedManifests } from "../../k8s/generate.ts";
import { SURROUNDINGS } from "../../k8s/group-manifests.ts";
import { GROUPS, type Group } from "../../stream/groups.ts";
import { kustomize } from "./kubectl.ts";
import { type KubernetesObject, OVERLAYS, type Overlay, parseObjects } from "./objects.ts";
import { policiesFor } from "./policies/all.ts";
import { openConnections } from "./policies/network.ts";
import { scalingOf } from "./policies/scaling.ts";
import { copyOfManifests } from "./temporary-directory.ts";
import { faultsOf } from "./typed-program.ts";
import { oursIn } from "./workloads.ts";

/** A group of another kind: it sends no mail. */
const AUDIT_LOG: Group = { name: "audit-log", types: ["user.signed_up.v1"] };
const groups = [...GROUPS, AUDIT_LOG];

/** The overlays of a copy of the tree, with manifests generated for these groups. */
const overlaysWith = (generatedFor: readonly Group[]): Readonly<Record<Overlay, readonly KubernetesObject[]>> => {
  using directory = copyOfManifests("groups");
  for (const [path, content] of generatedManifests(generatedFor)) {
    const file = join(directory.path, "k8s", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const build = (overlay: Overlay) => parseObjects(kustomize(join(directory.path, "k8s", "overlays", overlay)));
  return { local: build("local"), production: build("production") };
};

const overlays = overlaysWith(groups);

const consumersOf = (objects: readonly KubernetesObject[], group: Group) => {
  const found = oursIn(objects).find(({ object }) => object.metadata.name === `consumer-${group.name}`);
  if (found === undefined) throw new Error(`nothing runs ${group.name}`);
  return found;
};

describe.each(OVERLAYS)("a group that is added to the list, in the overlay %s", (overlay) => {
  const objects = overlays[overlay];

  test("gets a Deployment, an account, a disruption budget and scaling of its own", () => {
    const own = objects.filter(({ metadata }) => metadata.name === `consumer-${AUDIT_LOG.name}`);
    expect(own.map(({ kind }) => kind).sort()).toEqual([
      "Deployment",
      "PodDisruptionBudget",
      "ScaledObject",
      "ServiceAccount",
    ]);
    const { containers } = consumersOf(objects, AUDIT_LOG).pod;
    expect(containers[0]?.args).toEqual(["consumers/main.ts", "--group", AUDIT_LOG.name]);
    const scaled = own.filter(({ kind }) => kind === "ScaledObject").map(scalingOf);
    expect(scaled.map(({ scaleTargetRef }) => scaleTargetRef.name)).toEqual([`consumer-${AUDIT_LOG.name}`]);
  });

  test.each(Object.entries(policiesFor(groups)))("keeps to the policy %s", (_, policy) => {
    expect(policy(objects)).toEqual([]);
  });

  test("gets no mail login and no network access to the mail server, unlike one that sends mail", () => {
    const loginOf = (group: Group) =>
      consumersOf(objects, group)
        .containers.flatMap(({ env }) => env)
        .map(({ valueFrom }) => valueFrom?.secretKeyRef?.name)
        .filter((name) => name === "signup-mail");
    const mailPorts = (group: Group) =>
      openConnections(objects).filter((open) => new RegExp(`^consumer-${group.name} -> .*:(587|1025)$`).test(open));
    const [welcomeEmail] = GROUPS;
    if (welcomeEmail === undefined) throw new Error("there is no group");
    expect([loginOf(AUDIT_LOG).length, mailPorts(AUDIT_LOG).length]).toEqual([0, 0]);
    expect([loginOf(welcomeEmail).length, mailPorts(welcomeEmail).length]).toEqual([2, 1]);
  });

  test("matches the types and schemas of its kinds", async () => {
    expect((await faultsOf(objects)).flat()).toEqual([]);
  });
});

test("k8s/group-manifests.ts names only groups that exist", () => {
  const known = GROUPS.map(({ name }) => name);
  expect(Object.keys(SURROUNDINGS).filter((name) => !known.includes(name))).toEqual([]);
});
