import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { runFolder } from "../run-folder.ts";
import { kustomize } from "./kubectl.ts";

const labels = z.record(z.string(), z.string());

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: labels.optional(),
  }),
  spec: z.unknown().optional(),
  data: z.record(z.string(), z.string()).optional(),
});

/** A rendered object, as far as every kind is alike. */
export type KubernetesObject = z.output<typeof objectSchema>;

/** Go's base64 skips line breaks, which kustomize puts into long values. */
const withoutLineBreaks = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.replaceAll("\n", "")]));

/** By Bun's own parser: that in JavaScript takes 20 times as long for what kustomize prints, which is more than kustomize takes. */
const documentsIn = (yaml: string): readonly unknown[] => {
  const parsed = Bun.YAML.parse(yaml);
  return Array.isArray(parsed) ? parsed : [parsed];
};

export const parseObjects = (yaml: string): readonly KubernetesObject[] =>
  documentsIn(yaml)
    .map((document) => objectSchema.parse(document))
    .map((object) =>
      object.kind === "Secret" && object.data !== undefined
        ? { ...object, data: withoutLineBreaks(object.data) }
        : object,
    );

export const k8s = join(import.meta.dir, "..", "..", "k8s");

export const OVERLAYS = ["local", "production"] as const;
export type Overlay = (typeof OVERLAYS)[number];

const rendered = new Map<Overlay, readonly KubernetesObject[]>();

/** What another test file of this run has rendered: the manifests do not change while tests run. */
const renderedInThisRun = (overlay: Overlay): readonly KubernetesObject[] => {
  const folder = runFolder();
  const file = folder && join(folder, `${overlay}.json`);
  if (file && existsSync(file)) return z.array(objectSchema).parse(JSON.parse(readFileSync(file, "utf8")));
  const objects = parseObjects(kustomize(join(k8s, "overlays", overlay)));
  if (file) {
    const own = `${file}.${process.pid}`;
    writeFileSync(own, JSON.stringify(objects));
    // At once: nobody reads half of it.
    renameSync(own, file);
  }
  return objects;
};

/** The objects of an overlay, as an API server would be given them. */
export const overlayObjects = (overlay: Overlay): readonly KubernetesObject[] => {
  const known = rendered.get(overlay) ?? renderedInThisRun(overlay);
  rendered.set(overlay, known);
  return known;
};

/** What of these an overlay does not have just so: what is checked object by object was checked there. */
export const beyond = (overlay: Overlay, objects: readonly KubernetesObject[]): readonly KubernetesObject[] => {
  const known = new Set(overlayObjects(overlay).map((object) => JSON.stringify(object)));
  return objects.filter((object) => !known.has(JSON.stringify(object)));
};

/** `Kind/name`, as people write it. */
export const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;

export const ofKind = (objects: readonly KubernetesObject[], kind: string): readonly KubernetesObject[] =>
  objects.filter((object) => object.kind === kind);

/** Whether a selector of labels takes these. An empty one takes all. */
export const selects = (selector: Readonly<Record<string, string>>, of: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector).every(([name, value]) => of[name] === value);
