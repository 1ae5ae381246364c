import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { readDigest } from "./registry.ts";

export interface Release {
  /** Where the image is, without a tag. */
  readonly image: string;
  /** Its tag. */
  readonly version: string;
  /** `sha256:...`, from the registry; undefined: not pinned. */
  readonly digest: string | undefined;
}

const FILE = join(import.meta.dir, "overlays", "production", "release", "kustomization.yaml");

/** A Job's name is a DNS label, and each release has its own: a Job cannot be changed. */
const jobName = ({ version, digest = "sha256:" }: Release): string => {
  const readable = `migrate-${version.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`.slice(0, 50).replace(/-+$/, "");
  const unique = digest.slice("sha256:".length).slice(0, 8);
  return unique === "" ? readable : `${readable}-${unique}`;
};

/** The component that sets the image that runs, everywhere. */
export const releaseFile = (release: Release): string => {
  const { image, version, digest } = release;
  const component = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    images: [{ name: "signup-stream", newName: image, newTag: version, ...(digest === undefined ? {} : { digest }) }],
    labels: [{ pairs: { "app.kubernetes.io/version": version }, includeTemplates: true }],
    patches: [
      {
        target: { kind: "Job", name: "migrate" },
        options: { allowNameChange: true },
        patch: `- op: replace\n  path: /metadata/name\n  value: ${jobName(release)}`,
      },
    ],
  };
  return `# Written by \`bun k8s/release.ts\`: which image runs.\n${stringify(component, { lineWidth: 0 })}`;
};

if (import.meta.main) {
  const { values } = parseArgs({ options: { image: { type: "string" }, version: { type: "string" } } });
  if (values.image === undefined || values.version === undefined) {
    console.error("usage: bun k8s/release.ts --image REPOSITORY/signup-stream --version TAG");
    process.exit(64);
  }
  const { image, version } = values;
  const digest = await readDigest(`${image}:${version}`);
  writeFileSync(FILE, releaseFile({ image, version, digest }));
  console.log(`production runs ${image}:${version}@${digest}`);
}
