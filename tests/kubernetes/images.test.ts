import { describe, expect, test } from "bun:test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesWithImages, withDigests } from "../../k8s/pin-images.ts";
import { releaseFile } from "../../k8s/release.ts";
import { kustomize } from "./kubectl.ts";
import { k8s, parseObjects } from "./objects.ts";
import { images } from "./policies/images.ts";
import { copyOfManifests } from "./temporary-directory.ts";
import { oursIn } from "./workloads.ts";

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

describe("pinning the images of others", () => {
  test("writes the registry's digest behind each tag, and again when it has changed", async () => {
    const text = "FROM oven/bun:1.4.5 AS dependencies\nFROM oven/bun:1.4.5-distroless\n      - image: redis:8.2.1\n";
    const asked: string[] = [];
    const pinned = await withDigests(text, async (image) => {
      asked.push(image);
      return digestOf("a");
    });
    expect(asked).toEqual(["oven/bun:1.4.5", "oven/bun:1.4.5-distroless", "redis:8.2.1"]);
    expect(pinned).toContain(`FROM oven/bun:1.4.5@${digestOf("a")} AS dependencies\n`);
    expect(pinned).toContain(`- image: redis:8.2.1@${digestOf("a")}\n`);
    const again = await withDigests(pinned, async () => digestOf("b"));
    expect(again).not.toContain(digestOf("a"));
  });

  test("finds each of them, and none of ours", async () => {
    const asked: string[] = [];
    for (const file of filesWithImages()) {
      await withDigests(readFileSync(file, "utf8"), async (image) => {
        asked.push(image.replace(/:.*/, ""));
        return digestOf("a");
      });
    }
    expect([...new Set(asked)].sort()).toEqual(["axllent/mailpit", "oven/bun", "postgres", "redis"]);
  });
});

describe("a release", () => {
  const release = { image: "images.example/team/signup-stream", version: "1.10", digest: digestOf("c") };

  test("puts one image everywhere, pinned, and gives the migration a name of its own", () => {
    using directory = copyOfManifests("release");
    const production = join(directory.path, "k8s", "overlays", "production");
    writeFileSync(join(production, "release", "kustomization.yaml"), releaseFile(release));
    const objects = parseObjects(kustomize(production));
    const ours = oursIn(objects);
    expect(images(objects)).toEqual([]);
    expect(new Set(ours.flatMap(({ containers }) => containers.map(({ image }) => image)))).toEqual(
      new Set([`${release.image}:1.10@${release.digest}`]),
    );
    expect(ours.map(({ name }) => name)).toContain("Job/migrate-1-10-cccccccc");
    expect(ours.every(({ labels }) => labels["app.kubernetes.io/version"] === "1.10")).toBe(true);
  });

  test("is written by its command: with the digest that is given, or that docker reads; without either it says what to do", () => {
    using directory = copyOfManifests("release");
    cpSync(join(k8s, "..", "runtime"), join(directory.path, "runtime"), { recursive: true });
    const run = (...args: readonly string[]) => {
      const command = [process.execPath, join(directory.path, "k8s", "release.ts"), ...args];
      const { exitCode, stdout, stderr } = Bun.spawnSync(command, { env: { PATH: directory.path } });
      return { exitCode, text: `${stdout}${stderr}` };
    };
    const named = ["--image", release.image, "--version", release.version];
    const file = join(directory.path, "k8s", "overlays", "production", "release", "kustomization.yaml");
    const before = readFileSync(file, "utf8");

    const without = run(...named);
    expect(without).toEqual({
      exitCode: 1,
      text: expect.stringContaining("docker, which asks the registry, is not installed"),
    });
    expect(without.text).toContain("--digest sha256:...");
    expect(without.text).not.toContain("    at ");
    for (const wrong of [[...named, "--digest", "sha256:12"], [...named, "--tag", "1"], named.slice(0, 2)]) {
      expect(run(...wrong)).toEqual({ exitCode: 64, text: expect.stringContaining("usage: bun k8s/release.ts") });
    }
    expect(readFileSync(file, "utf8")).toBe(before);

    expect(run(...named, "--digest", release.digest).exitCode).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(releaseFile(release));
  });

  test("has a Job's name that is a DNS label, whatever the tag", () => {
    const long = releaseFile({ ...release, version: `V2_${"x".repeat(100)}.Y` });
    const name = /value: (\S+)/.exec(long)?.[1] ?? "";
    expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/);
    expect(name).toEndWith("-cccccccc");
  });
});
