import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadText } from "../runtime/capacity/load.ts";
import type { Load } from "../runtime/capacity/model.ts";
import { count } from "../runtime/quantity.ts";
import { SETTINGS } from "../settings/schema.ts";
import { type DeployedGroup, KUSTOMIZATION, manifest, yaml } from "./group-manifests.ts";
import {
  COMPONENT,
  isGenerated,
  kustomizationOf,
  type Overlay,
  readOverlay,
  requireOrder,
  settingOf,
} from "./overlay.ts";
import { receiverManifests } from "./receiver-manifests.ts";
import { scalingPatches } from "./scaling-patches.ts";
import { type Sizing, sizingFor } from "./sizing.ts";

/** A load, as the overlay's settings bear it. */
const borneBy = (overlay: Overlay, load: Load): Load => {
  const mailPoolSize =
    settingOf(overlay, "MAIL_POOL_SIZE", SETTINGS.MAIL_POOL_SIZE) ??
    settingOf(overlay, "CONSUMER_CONCURRENCY", SETTINGS.CONSUMER_CONCURRENCY);
  return { ...load, ...(mailPoolSize === undefined ? {} : { mailPoolSize }) };
};

/** What the groups of receivers require of the manifests. */
const asGroups = (receivers: readonly string[]): readonly Pick<DeployedGroup, "requires">[] =>
  receivers.map(() => ({ requires: [] }));

const sizeText = (load: Load, { databaseConnections, smtpConnections, limits }: Sizing): string =>
  [
    `${loadText(load)}.`,
    `At most ${count(databaseConnections)} connections to Postgres and ${count(smtpConnections)} to the mail server.`,
    ...limits.map((limit) => `${limit}.`),
  ].join("\n# ");

/**
 * The manifests that follow from each overlay's settings and size: consumers of the receivers that `WEBHOOKS` names, numbers and
 * requests of pods, and the most consumers that the rate of mail feeds. Path below `k8s/` -> content.
 *
 * @throws {UnusableOverlay} naming the file and what to write
 */
export const overlayManifests = (
  k8s: string,
  groups: readonly DeployedGroup[],
  streamName: string,
): ReadonlyMap<string, string> => {
  const names = readdirSync(join(k8s, "overlays")).filter((name) => existsSync(kustomizationOf(k8s, name)));
  const files = names.flatMap((name) => {
    const overlay = readOverlay(k8s, name);
    if (!isGenerated(overlay)) return [];
    requireOrder(overlay);
    const receivers = settingOf(overlay, "WEBHOOKS", SETTINGS.WEBHOOKS) ?? [];
    const below = join("overlays", name, COMPONENT);
    const { components, size } = overlay;
    const sizing = size && sizingFor(borneBy(overlay, size), [...groups, ...asGroups(receivers)]);
    const made = size && sizing ? `\n# For ${sizeText(size, sizing)}` : "";
    const component = manifest(`what follows from the settings and the size of this overlay.${made}`, {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      resources: receivers.length === 0 ? [] : ["receivers"],
      patches: scalingPatches(overlay, groups, sizing, k8s),
    });
    const ofReceivers = receivers.length === 0 ? [] : receiverManifests({ receivers, components, streamName });
    return [
      [join(below, "kustomization.yaml"), component] as const,
      ...[...ofReceivers].map(([path, content]) => [join(below, "receivers", path), content] as const),
    ];
  });
  return new Map(files);
};

/** What is asked of the command: an overlay on top of another one, for a size. */
export interface SizedOverlay {
  readonly load: Load;
  /** The name of the one below. */
  readonly name: string;
  /** The way to it. */
  readonly path: string;
  /** The command that writes it. */
  readonly command: string;
}

/**
 * An overlay that makes another one fit for a load.
 *
 * @throws {UnusableOverlay}
 */
export const sizedOverlay = (
  k8s: string,
  groups: readonly DeployedGroup[],
  { load, name, path, command }: SizedOverlay,
): { readonly content: string; readonly sizing: Sizing } => {
  const overlay = readOverlay(k8s, name);
  const receivers = settingOf(overlay, "WEBHOOKS", SETTINGS.WEBHOOKS) ?? [];
  const sizing = sizingFor(borneBy(overlay, load), [...groups, ...asGroups(receivers)]);
  const object = { ...KUSTOMIZATION, resources: [path], patches: scalingPatches(overlay, groups, sizing, k8s) };
  return { content: `# Written by \`${command}\`: for ${sizeText(load, sizing)}\n${yaml(object)}`, sizing };
};
