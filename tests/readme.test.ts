import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { aSystem } from "./processes.ts";

const root = join(import.meta.dir, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

describe("the README", () => {
  test("its examples work as they stand", async () => {
    await using system = await aSystem();
    const api = await system.api();
    await system.consumer();
    const examples = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, example = ""]) => example);
    expect(examples.length).toBeGreaterThanOrEqual(3);
    const outputs: string[] = [];
    for (const example of examples) {
      const script = example.replaceAll("http://localhost:3000", api.url);
      const run = Bun.spawn(["bash", "-euo", "pipefail", "-c", script], { stdout: "pipe", stderr: "pipe" });
      const [output, errors, code] = await Promise.all([
        new Response(run.stdout).text(),
        new Response(run.stderr).text(),
        run.exited,
      ]);
      expect([example, errors, code]).toEqual([example, errors, 0]);
      outputs.push(output);
    }
    expect(outputs[1]).toBe(outputs[0] ?? "");
    expect(outputs[2]).toContain('"state":"sent"');
  });

  test("names files that exist", () => {
    const named = [
      ...[...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = ""]) => path),
      ...[...readme.matchAll(/`((?:tests|consumers|api|stream)\/[\w/.-]+\.tsx?)`/g)].map(([, path = ""]) => path),
    ];
    for (const path of named) expect([path, existsSync(join(root, path))]).toEqual([path, true]);
  });

  test("names the pinned Bun", () => {
    const { packageManager }: { readonly packageManager: string } = JSON.parse(
      readFileSync(join(root, "package.json"), "utf8"),
    );
    expect(readme).toContain(`npx -y ${packageManager} run start`);
    expect(readFileSync(join(root, ".ci", "run"), "utf8")).toContain(`npx -y ${packageManager} run test`);
  });
});
