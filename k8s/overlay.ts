import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { mailLatencyOf, peakFactorOf, signupsPerDayOf } from "../runtime/capacity/load.ts";
import type { Load } from "../runtime/capacity/model.ts";
import type { Setting } from "../settings/values.ts";

/** The component of each overlay that follows from the overlay's own settings and size. */
export const COMPONENT = "from-settings";

/** An overlay of which no manifests can be made. */
export class UnusableOverlay extends Error {
  override readonly name = "UnusableOverlay";
}

/** An overlay, as far as manifests follow from it. */
export interface Overlay {
  /** Its file, for messages. */
  readonly file: string;
  /** The names of its components. */
  readonly components: readonly string[];
  /** What it sets in the ConfigMap `settings`. */
  readonly settings: ReadonlyMap<string, string>;
  /** What it is made for, by its `size.yaml`. */
  readonly size: Load | undefined;
}

const kustomization = z.looseObject({
  components: z.array(z.string()).default([]),
  configMapGenerator: z
    .array(z.looseObject({ name: z.string(), literals: z.array(z.string()).default([]) }))
    .default([]),
});

/** The file of an overlay. */
export const kustomizationOf = (k8s: string, overlay: string): string =>
  join(k8s, "overlays", overlay, "kustomization.yaml");

/** Keys of `size.yaml`: the flags of `ops capacity`. */
const sizeSchema = z.strictObject({
  "signups-per-day": z.coerce.string().transform(signupsPerDayOf),
  "peak-factor": z.coerce.string().transform(peakFactorOf),
  "mail-latency": z.string().transform(mailLatencyOf),
});

/** @throws {UnusableOverlay} */
const sizeOf = (k8s: string, overlay: string): Load | undefined => {
  const file = join(k8s, "overlays", overlay, "size.yaml");
  if (!existsSync(file)) return undefined;
  try {
    const size = sizeSchema.parse(parse(readFileSync(file, "utf8")));
    return {
      signupsPerDay: size["signups-per-day"],
      peakFactor: size["peak-factor"],
      mailLatencyMs: size["mail-latency"],
    };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new UnusableOverlay(`k8s/overlays/${overlay}/size.yaml: ${reason}`);
  }
};

/** @throws {UnusableOverlay} if there is none, or its size is none */
export const readOverlay = (k8s: string, name: string): Overlay => {
  const path = kustomizationOf(k8s, name);
  if (!existsSync(path)) throw new UnusableOverlay(`k8s/overlays has no ${name}`);
  const text = readFileSync(path, "utf8");
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
    size: sizeOf(k8s, name),
  };
};

/** What manifests follow from. */
const FOLLOWED = ["WEBHOOKS", "MAIL_RATE_PER_SECOND", "MAIL_RATE_PER_DAY"];

/** Whether an overlay has manifests of its own to generate; one on top of another overlay has none. */
export const isGenerated = ({ components, settings, size }: Overlay): boolean =>
  components.includes(COMPONENT) || size !== undefined || FOLLOWED.some((name) => Boolean(settings.get(name)));

/**
 * A component changes only what comes before it: ours the scaling of the code's groups, others what ours adds.
 *
 * @throws {UnusableOverlay}
 */
export const requireOrder = ({ file, components }: Overlay): void => {
  const at = (name: string) => components.indexOf(name);
  const own = at(COMPONENT);
  // `always-on` comes after: it sets the minimum of every ScaledObject, those of receivers among them.
  const isAfter = ["always-on", "monitoring", "release"].map(at).every((after) => after === -1 || after > own);
  if (own !== -1 && ["keda", "api-autoscaling"].map(at).every((before) => before < own) && isAfter) return;
  throw new UnusableOverlay(
    `${file}: list ${COMPONENT} among its components, after keda and api-autoscaling, before always-on, monitoring and release`,
  );
};

/** @throws {UnusableOverlay} */
export const settingOf = <Value>(
  { file, settings }: Overlay,
  name: string,
  { schema }: Setting<Value>,
): Value | undefined => {
  const text = settings.get(name) ?? "";
  if (text === "") return undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UnusableOverlay(`${file}: ${name}: ${parsed.error.issues.map(({ message }) => message).join(", ")}`);
};
