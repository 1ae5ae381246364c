import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { EXIT } from "../runtime/process.ts";
import { isDigest, NoDigest, readDigest } from "./registry.ts";

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

const USAGE = `usage: bun k8s/release.ts --image REPOSITORY/signup-stream --version TAG [--digest sha256:...]

Writes which image production runs. The digest is read from the registry by \`docker buildx\`, unless it is given: whatever
pushed the image has printed it.`;

const WRONG_USAGE = 64;

/** Prints why, and gives the exit code. */
const refuse = (reason: string, code: number): number => {
  console.error(reason);
  return code;
};

const main = async (args: readonly string[]): Promise<number> => {
  const options = { image: { type: "string" }, version: { type: "string" }, digest: { type: "string" } } as const;
  try {
    const { image, version, digest: given } = parseArgs({ args: [...args], options }).values;
    if (image === undefined || version === undefined) return refuse(USAGE, WRONG_USAGE);
    if (given !== undefined && !isDigest(given)) return refuse(`${given} is no digest\n\n${USAGE}`, WRONG_USAGE);
    const digest = given ?? (await readDigest(`${image}:${version}`));
    writeFileSync(FILE, releaseFile({ image, version, digest }));
    console.log(`production runs ${image}:${version}@${digest}`);
    return EXIT.stopped;
  } catch (error) {
    if (error instanceof NoDigest) return refuse(`${error.message}\nPass it as --digest sha256:...`, EXIT.failed);
    // `parseArgs` reports wrong usage by an error code.
    const isWrongUsage = error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
    if (isWrongUsage) return refuse(`${error.message}\n\n${USAGE}`, WRONG_USAGE);
    throw error;
  }
};

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
