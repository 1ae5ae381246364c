import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubernetesFiles } from "../../k8s/generate.ts";
import { consumersFedBy } from "../../k8s/scaling-patches.ts";
import { ALWAYS_ON } from "../../k8s/sizing.ts";
import { createGenerator } from "../../local/generate.ts";
import { replicasFor } from "./keda/replicas.ts";
import { kustomize } from "./kubectl.ts";
import { beyond, type KubernetesObject, type Overlay, ofKind, overlayObjects, parseObjects } from "./objects.ts";
import { POLICIES } from "./policies/all.ts";
import { openConnections } from "./policies/network.ts";
import { scalingOf } from "./policies/scaling.ts";
import { copyOfManifests } from "./temporary-directory.ts";
import { faultsOf } from "./typed-program.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const RECEIVERS = ["WEBHOOKS=crm,audit-log", "WEBHOOK_CRM_URL=https://crm.example/hooks"];
const AUDIT = ["WEBHOOK_AUDIT_LOG_URL=https://audit.example/events", "WEBHOOK_AUDIT_LOG_EVENTS=#"];

/** A copy of the manifests whose overlay sets these too, generated anew. */
const manifestsWith = (overlay: Overlay) => {
  const copy = copyOfManifests("from-settings");
  const folder = join(copy.path, "k8s", "overlays", overlay);
  const file = join(folder, "kustomization.yaml");
  const original = readFileSync(file, "utf8");
  const generator = createGenerator("kubernetes", () => kubernetesFiles(join(copy.path, "k8s")), copy.path);
  /** Sets them in place of the earlier ones. */
  const write = async (literals: readonly string[], change = (text: string) => text): Promise<void> => {
    const lines = literals.map((literal) => `      - ${literal}\n`).join("");
    writeFileSync(file, change(original.replace("      - PUBLIC_URL", () => `${lines}      - PUBLIC_URL`)));
    await generator.run();
  };
  return {
    folder,
    write,
    /** The same; returns what would be applied. */
    set: async (...settings: Parameters<typeof write>): Promise<readonly KubernetesObject[]> => {
      await write(...settings);
      return parseObjects(kustomize(folder));
    },
    [Symbol.dispose]: () => copy[Symbol.dispose](),
  };
};

const findings = (objects: readonly KubernetesObject[]) =>
  Object.entries(POLICIES).flatMap(([policy, find]) => find(objects).map((found) => `${policy}: ${found}`));

/** Secrets by hand, as `docs/webhooks.md` has them. */
const withSecrets = (text: string): string => {
  const secret = (name: string, variable: string) =>
    `  - name: signup-webhook-${name}\n    namespace: signup\n    options: { disableNameSuffixHash: true }\n    literals: [${variable}=${SECRET}]\n`;
  const both = secret("crm", "WEBHOOK_CRM_SECRET") + secret("audit-log", "WEBHOOK_AUDIT_LOG_SECRET");
  return text.replace("secretGenerator:\n", () => `secretGenerator:\n${both}`);
};

const maxima = (objects: readonly KubernetesObject[]) =>
  Object.fromEntries(
    ofKind(objects, "ScaledObject")
      .map(scalingOf)
      .map(({ scaleTargetRef, maxReplicaCount }) => [scaleTargetRef.name, maxReplicaCount]),
  );

describe("receivers of webhooks that an overlay's settings name", () => {
  test.each([
    ["production", (text: string) => text],
    ["local", withSecrets],
  ] as const)("have all that a group has, in the overlay %s", async (overlay, change) => {
    using manifests = manifestsWith(overlay);
    const objects = await manifests.set([...RECEIVERS, ...AUDIT], change);
    for (const name of ["consumer-webhook-crm", "consumer-webhook-audit-log"]) {
      const kinds = objects.filter(({ metadata }) => metadata.name === name).map(({ kind }) => kind);
      expect(kinds.sort()).toEqual(["Deployment", "PodDisruptionBudget", "ScaledObject", "ServiceAccount"]);
    }
    expect(findings(objects)).toEqual([]);
    // Types know no overlays: of one is enough.
    if (overlay === "production") expect((await faultsOf(beyond(overlay, objects))).flat()).toEqual([]);

    const open = openConnections(objects);
    const own = open.filter((one) => one.startsWith("consumer-webhook-crm -> "));
    expect(own.filter((one) => one.endsWith(":443"))).toEqual([
      "consumer-webhook-crm -> 0.0.0.0/0:443",
      "consumer-webhook-crm -> ::/0:443",
    ]);
    expect(own.filter((one) => /:(587|1025)$/.test(one))).toEqual([]);
    expect(open.filter((one) => one.startsWith("consumer-payments") && one.endsWith(":443"))).toEqual([]);

    // Their secrets reach no other consumer.
    const deployments = ofKind(objects, "Deployment").map((object) => JSON.stringify(object));
    expect(deployments.filter((text) => text.includes('"signup-webhook-crm"'))).toHaveLength(1);
  });

  test("go with their names", async () => {
    using manifests = manifestsWith("production");
    await manifests.write([...RECEIVERS, ...AUDIT]);
    const receivers = join(manifests.folder, "from-settings", "receivers");
    expect(existsSync(join(receivers, "webhook-audit-log"))).toBe(true);
    const objects = await manifests.set(["WEBHOOKS=crm", "WEBHOOK_CRM_URL=https://crm.example/hooks"]);
    expect(existsSync(join(receivers, "webhook-audit-log"))).toBe(false);
    expect(findings(objects)).toEqual([]);
    const misspelt = objects.map((object) =>
      object.kind === "ConfigMap" && object.data?.["WEBHOOK_CRM_URL"] !== undefined
        ? {
            ...object,
            data: { ...object.data, WEBHOOK_CRM_EVENT: "#", WEBHOOK_AUDIT_LOG_URL: "https://audit.example" },
          }
        : object,
    );
    expect(findings(misspelt)).toEqual(
      expect.arrayContaining([
        "settings: Deployment/api: sets WEBHOOK_CRM_EVENT, which nobody reads",
        "settings: Deployment/api: sets WEBHOOK_AUDIT_LOG_URL, which nobody reads",
      ]),
    );
    await manifests.write([]);
    expect(existsSync(join(receivers, "kustomization.yaml"))).toBe(false);
  });

  test("are refused by a name that is none, and where their component is missing: the error names the file", async () => {
    using manifests = manifestsWith("production");
    await expect(manifests.write(["WEBHOOKS=Crm"])).rejects.toThrow(
      'k8s/overlays/production/kustomization.yaml: WEBHOOKS: "Crm" cannot name a receiver',
    );
    const without = manifests.write(RECEIVERS, (text) => text.replace("  - from-settings\n", ""));
    await expect(without).rejects.toThrow("list from-settings among its components, after keda and api-autoscaling");
  });
});

describe("the rate of mail that an overlay sets", () => {
  test.each([
    [{ perSecond: 100, perDay: undefined }, 3],
    [{ perSecond: 40, perDay: undefined }, 1],
    [{ perSecond: 1, perDay: undefined }, 1],
    [{ perSecond: 100, perDay: 50_000 }, 3],
    [{ perSecond: undefined, perDay: 50_000 }, 1],
    [{ perSecond: undefined, perDay: 10_000_000 }, 3],
    [{ perSecond: undefined, perDay: undefined }, undefined],
  ])("%p, at 40 mails a second and pod, feeds %p consumers", (rate, consumers) => {
    expect(consumersFedBy(rate, 200)).toBe(consumers);
  });

  test("bounds the consumers of mail groups whatever is queued, and of no others", async () => {
    using manifests = manifestsWith("production");
    for (const { spec } of ofKind(overlayObjects("production"), "ScaledObject")) {
      expect(spec).toMatchObject({ minReplicaCount: ALWAYS_ON });
    }
    const limited = await manifests.set(["MAIL_RATE_PER_SECOND=100"]);
    const mail = { "consumer-welcome-email": 3, "consumer-reminder-email": 3, "consumer-notice-email": 3 };
    // As the size of the overlay has it.
    const most = { ...mail, "consumer-payments": 5 };
    expect(maxima(limited)).toEqual(most);
    expect(findings(limited)).toEqual([]);
    const lag = { kind: "value", value: 1_000_000, target: 200, isActive: true } as const;
    expect(replicasFor([lag], 1, { min: 0, max: most["consumer-welcome-email"], fallback: 2 })).toBe(3);

    // The component `always-on` keeps two of each group.
    const slow = await manifests.set(["MAIL_RATE_PER_SECOND=1"]);
    expect(maxima(slow)).toMatchObject({ "consumer-welcome-email": 2, "consumer-payments": 5 });
    expect(findings(slow)).toEqual([]);

    expect(maxima(await manifests.set(["MAIL_RATE_PER_SECOND=10000"]))).toMatchObject({ "consumer-welcome-email": 5 });
  });

  test("is missed by no overlay that was not generated anew", () => {
    const changed = overlayObjects("production").map((object) =>
      object.kind === "ConfigMap" && object.data?.["MAIL_RATE_PER_SECOND"] !== undefined
        ? { ...object, data: { ...object.data, MAIL_RATE_PER_SECOND: "100" } }
        : object,
    );
    expect(findings(changed)).toContain(
      "scaling: ScaledObject/consumer-welcome-email: has more consumers than the rate of mail feeds",
    );
  });
});
