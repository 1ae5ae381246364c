import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../runtime/process.ts";
import { NoDigest, type ReadDigest, readDigest } from "./registry.ts";

const root = join(import.meta.dir, "..");
/** `FROM image` of a Dockerfile and `image: image` of a manifest; only images of others have a tag, and can be pinned. */
const IMAGE = /^(FROM |\s+(?:- )?image: )([^\s:@]+:[^\s@]+)(@sha256:[0-9a-f]{64})?/gm;

/** The text with each image's current digest from the registry; the tag stays, for readers. */
export const withDigests = async (text: string, read: ReadDigest): Promise<string> => {
  const images = new Set([...text.matchAll(IMAGE)].map((match) => match[2] ?? ""));
  const digests = new Map(await Promise.all([...images].map(async (image) => [image, await read(image)] as const)));
  return text.replace(IMAGE, (_, before: string, image: string) => `${before}${image}@${digests.get(image)}`);
};

/** Files that name images of others. */
export const filesWithImages = (): readonly string[] => {
  const overlay = join(root, "k8s", "overlays", "local");
  const manifests = readdirSync(overlay).filter((file) => file.endsWith(".yaml"));
  return [join(root, "Dockerfile"), ...manifests.map((file) => join(overlay, file))];
};

const main = async (): Promise<number> => {
  try {
    for (const file of filesWithImages()) {
      const before = readFileSync(file, "utf8");
      const after = await withDigests(before, readDigest);
      if (after === before) continue;
      writeFileSync(file, after);
      console.log(`pinned the images of ${file}`);
    }
    return EXIT.stopped;
  } catch (error) {
    if (!(error instanceof NoDigest)) throw error;
    console.error(error.message);
    return EXIT.failed;
  }
};

if (import.meta.main) process.exit(await main());
