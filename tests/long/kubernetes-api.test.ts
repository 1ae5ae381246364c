import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { eventually } from "../eventually.ts";
import { kustomize } from "../kubernetes/kubectl.ts";
import { k8s, OVERLAYS, parseObjects } from "../kubernetes/objects.ts";
import { customResources } from "../kubernetes/real-api/custom-resources.ts";
import { type OwnApi, ownApi } from "../kubernetes/real-api/own-api.ts";
import { findServer } from "../kubernetes/real-api/programs.ts";
import { copyOfManifests } from "../kubernetes/temporary-directory.ts";

const programs = findServer();
if (programs === undefined)
  console.warn("skipped: no kube-apiserver; bun tests/kubernetes/real-api/build.ts makes one");

/** What an overlay may list besides: each on top of production. */
const OPTIONAL = ["api-autoscaling", "scraping", "priority", "ingress", "keda-redis-sentinel", "keda-redis-cluster"];
const template = z.looseObject({ template: z.looseObject({ metadata: z.looseObject({}), spec: z.looseObject({}) }) });

describe.skipIf(programs === undefined)("a real kube-apiserver", () => {
  const shared = new AsyncDisposableStack();
  let api: OwnApi;

  const good = async (words: readonly string[], input?: string): Promise<string> => {
    const { code, out, err } = await api.kubectl(words, input);
    expect([words.join(" "), code, code === 0 ? "" : out + err]).toEqual([words.join(" "), 0, ""]);
    return out;
  };
  /** Applied, it is as it says: nothing is left to change, nobody else's. */
  const isStable = async (folder: string, ...how: readonly string[]) => {
    await good(["apply", ...how, "-k", folder]);
    await good(["diff", ...how, "-k", folder]);
  };
  const remove = (folder: string) => good(["delete", "-k", folder, "--ignore-not-found"]);

  beforeAll(async () => {
    if (programs === undefined) return;
    api = shared.use(await ownApi(programs));
    await good(["apply", "--server-side", "-f", "-"], customResources());
    await good(["apply", "-k", join(k8s, "namespace")]);
    await eventually(
      async () => (await api.kubectl(["get", "scaledobjects,httproutes,externalsecrets"])).code === 0,
      30_000,
    );
  }, 180_000);
  afterAll(() => shared.disposeAsync());

  for (const overlay of OVERLAYS) {
    test.each([[], ["--server-side"]])(
      `takes the overlay ${overlay}, and adds nothing of its own: apply %s`,
      async (...how) => {
        const folder = join(k8s, "overlays", overlay);
        await isStable(folder, ...how);
        await remove(folder);
      },
      120_000,
    );

    test(`admits every pod of the overlay ${overlay} under the policy of its namespace`, async () => {
      const objects = parseObjects(kustomize(join(k8s, "overlays", overlay)));
      for (const { kind, metadata, spec } of objects) {
        // Those with storage of their own are made from more than their template.
        const { data } = kind === "StatefulSet" ? {} : template.safeParse(spec);
        if (data === undefined) continue;
        const { name, namespace } = metadata;
        const pod = { ...data.template, metadata: { ...data.template.metadata, name, namespace } };
        await good(["create", "--dry-run=server", "-f", "-"], stringify({ apiVersion: "v1", kind: "Pod", ...pod }));
      }
    }, 60_000);
  }

  test("takes production with each optional component, in turn", async () => {
    using copy = copyOfManifests("kubernetes-api-components");
    const folder = join(copy.path, "k8s", "overlays", "more");
    mkdirSync(folder);
    for (const name of OPTIONAL) {
      const overlay = { resources: ["../production"], components: [`../../components/${name}`] };
      writeFileSync(join(folder, "kustomization.yaml"), stringify(overlay));
      await isStable(folder);
    }
    await remove(folder);
  }, 480_000);

  test("takes a second instance beside the first, and removes it alone", async () => {
    using copy = copyOfManifests("kubernetes-api-instance");
    const production = join(copy.path, "k8s", "overlays", "production");
    const folder = join(copy.path, "k8s", "overlays", "shop");
    mkdirSync(folder);
    const transformers = ["../../instance"];
    const overlay = { resources: ["../production"], namespace: "shop", namePrefix: "shop-", transformers };
    writeFileSync(join(folder, "kustomization.yaml"), stringify(overlay));
    await good(["create", "namespace", "shop"]);
    await isStable(production);
    await isStable(folder);
    await remove(folder);
    await good(["diff", "-k", production]);
    // Its Job may be gone long before.
    await good(["delete", "job", "--all", "-n", "signup"]);
    await remove(production);
  }, 180_000);
});
