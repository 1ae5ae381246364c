import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { SETTINGS } from "../settings/schema.ts";
import type { Setting } from "../settings/values.ts";
import { type DeployedGroup, manifest, needsOf, targetsOf } from "./group-manifests.ts";
import { receiverManifests } from "./receiver-manifests.ts";

/** The component of each overlay that follows from the overlay's own settings. */
const COMPONENT = "from-settings";

/** An overlay of which no manifests can be made. */
export class UnusableOverlay extends Error {
  override readonly name = "UnusableOverlay";
}

/** An overlay, as far as manifests follow from it. */
interface Overlay {
  /** Its file, for messages. */
  readonly file: string;
  /** The names of its components. */
  readonly components: readonly string[];
  /** What it sets in the ConfigMap `settings`. */
  readonly settings: ReadonlyMap<string, string>;
}

const kustomization = z.looseObject({
  components: z.array(z.string()).default([]),
  configMapGenerator: z
    .array(z.looseObject({ name: z.string(), literals: z.array(z.string()).default([]) }))
    .default([]),
});

const kustomizationOf = (k8s: string, overlay: string): string => join(k8s, "overlays", overlay, "kustomization.yaml");

const readOverlay = (k8s: string, name: string): Overlay => {
  const text = readFileSync(kustomizationOf(k8s, name), "utf8");
  const { components, configMapGenerator } = kustomization.parse(parse(text));
  const literals = configMapGenerator.filter((of) => of.name === "settings").flatMap((of) => of.literals);
  const settings = literals.map((literal): [string, string] => {
    const at = literal.indexOf("=");
    return [literal.slice(0, at), literal.slice(at + 1)];
  });
  return {
    file: `k8s/overlays/${name}/kustomization.yaml`,
    components: components.map((of) => basename(of)),
    settings: new Map(settings),
  };
};

/** What manifests follow from. */
const FOLLOWED = ["WEBHOOKS", "MAIL_RATE_PER_SECOND", "MAIL_RATE_PER_DAY"];

/** Whether an overlay has manifests of its own to generate; one on top of another overlay has none. */
const isGenerated = ({ components, settings }: Overlay): boolean =>
  components.includes(COMPONENT) || FOLLOWED.some((name) => Boolean(settings.get(name)));

/**
 * A component changes only what comes before it: ours the scaling of the code's groups, others what ours adds.
 *
 * @throws {UnusableOverlay}
 */
const requireOrder = ({ file, components }: Overlay): void => {
  const [keda, alwaysOn, own, monitoring, release] = ["keda", "always-on", COMPONENT, "monitoring", "release"].map(
    (name) => components.indexOf(name),
  );
  // `always-on` comes after: it sets the minimum of every ScaledObject, those of receivers among them.
  const isOrdered = [alwaysOn, monitoring, release].every((after = -1) => after === -1 || after > (own ?? -1));
  if (own !== -1 && (keda ?? -1) < (own ?? -1) && isOrdered) return;
  throw new UnusableOverlay(
    `${file}: list ${COMPONENT} among its components, after keda, before always-on, monitoring and release`,
  );
};

/** @throws {UnusableOverlay} */
const settingOf = <Value>({ file, settings }: Overlay, name: string, { schema }: Setting<Value>): Value | undefined => {
  const text = settings.get(name) ?? "";
  if (text === "") return undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UnusableOverlay(`${file}: ${name}: ${parsed.error.issues.map(({ message }) => message).join(", ")}`);
};

/** The target of unread entries is what one pod does in this time: docs/kubernetes.md, "Sizing". */
const LAG_SECONDS = 5;
const DAY_S = 86_400;

/** `MAIL_RATE_PER_SECOND` and `MAIL_RATE_PER_DAY`. */
interface MailRate {
  readonly perSecond: number | undefined;
  readonly perDay: number | undefined;
}

/**
 * How many consumers a rate of mail feeds, at least one; undefined if there is no rate. A rate a day alone is spread over the
 * day. `lagTarget`: unread entries for each pod.
 *
 * @example 100 mails/s and a target of 200: 3
 */
export const consumersFedBy = ({ perSecond, perDay }: MailRate, lagTarget: number): number | undefined => {
  const rate = perSecond ?? (perDay === undefined ? undefined : perDay / DAY_S);
  return rate === undefined ? undefined : Math.max(1, Math.ceil(rate / (lagTarget / LAG_SECONDS)));
};

/** The minimum that the component `always-on` sets: no maximum is below it, and the rate is kept by all consumers together. */
export const ALWAYS_ON = 2;

const scaledObject = z.looseObject({ spec: z.looseObject({ maxReplicaCount: z.number() }) });

const usualMaximum = (k8s: string): number => {
  const text = readFileSync(join(k8s, "components", "keda", "scaled-object", "scaled-object.yaml"), "utf8");
  return scaledObject.parse(parse(text)).spec.maxReplicaCount;
};

/**
 * Patches that keep the consumers of each mail group to what the rate feeds. By the maximum, because HPA takes the greatest of
 * all triggers: a limit in one of them would limit nothing, and a formula over all fails when one of them does.
 */
const ratePatches = (overlay: Overlay, groups: readonly DeployedGroup[], usual: number): readonly object[] => {
  if (!overlay.components.includes("keda")) return [];
  const rate = {
    perSecond: settingOf(overlay, "MAIL_RATE_PER_SECOND", SETTINGS.MAIL_RATE_PER_SECOND),
    perDay: settingOf(overlay, "MAIL_RATE_PER_DAY", SETTINGS.MAIL_RATE_PER_DAY),
  };
  return groups
    .filter(({ requires }) => needsOf(requires).includes("mail"))
    .flatMap(({ name }) => {
      const fed = consumersFedBy(rate, targetsOf(name).lag);
      if (fed === undefined || fed >= usual) return [];
      const most = Math.max(fed, overlay.components.includes("always-on") ? ALWAYS_ON : 0);
      const patch = `- op: replace\n  path: /spec/maxReplicaCount\n  value: ${most}`;
      return [{ target: { kind: "ScaledObject", name: `consumer-${name}` }, patch }];
    });
};

/**
 * The manifests that follow from each overlay's settings: consumers of the receivers that `WEBHOOKS` names, and the most
 * consumers that the rate of mail feeds. Path below `k8s/` -> content.
 *
 * @throws {UnusableOverlay} naming the file and what to write
 */
export const overlayManifests = (
  k8s: string,
  groups: readonly DeployedGroup[],
  streamName: string,
): ReadonlyMap<string, string> => {
  const usual = usualMaximum(k8s);
  const names = readdirSync(join(k8s, "overlays")).filter((name) => existsSync(kustomizationOf(k8s, name)));
  const files = names.flatMap((name) => {
    const overlay = readOverlay(k8s, name);
    if (!isGenerated(overlay)) return [];
    requireOrder(overlay);
    const receivers = settingOf(overlay, "WEBHOOKS", SETTINGS.WEBHOOKS) ?? [];
    const below = join("overlays", name, COMPONENT);
    const component = manifest("what follows from the settings of this overlay.", {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      resources: receivers.length === 0 ? [] : ["receivers"],
      patches: ratePatches(overlay, groups, usual),
    });
    const { components } = overlay;
    const ofReceivers = receivers.length === 0 ? [] : receiverManifests({ receivers, components, streamName });
    return [
      [join(below, "kustomization.yaml"), component] as const,
      ...[...ofReceivers].map(([path, content]) => [join(below, "receivers", path), content] as const),
    ];
  });
  return new Map(files);
};
