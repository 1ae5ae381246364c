import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const contributing = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
const description: { readonly scripts: Readonly<Record<string, string>>; readonly packageManager: string } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

const missing = (paths: readonly string[]): string[] => paths.filter((path) => !existsSync(join(root, path)));
const found = (pattern: RegExp): string[] => [...contributing.matchAll(pattern)].map(([, first = ""]) => first);

describe("CONTRIBUTING.md", () => {
  test("each `bun run` that it names is a script", () => {
    const scripts = found(/\bbun run ([\w:-]+)/g);
    expect(scripts.length).toBeGreaterThan(10);
    expect(scripts.filter((script) => description.scripts[script] === undefined)).toEqual([]);
  });

  test("each file that it runs, links or names exists", () => {
    const run = found(/\bbun ((?!run\b|install\b)[\w./-]+\.ts)\b/g);
    const linked = found(/\]\(([^)#:]+)\)/g);
    // With a folder or an ending: the others are variables and scripts.
    const named = found(/`([\w.-]+\/[\w./-]*|[\w-]+\.(?:json|md))`/g);
    // What is under .local/ appears at a start.
    const paths = [...run, ...linked, ...named].filter((path) => !path.startsWith(".local/"));
    expect(paths.length).toBeGreaterThan(15);
    expect(missing(paths)).toEqual([]);
  });

  test("each test that it runs exists", () => {
    const tests = found(/^ *bun tests\/run\.ts ((?:[\w./-]+\/[\w./-]* ?)+)/gm).flatMap((paths) =>
      paths.trim().split(" "),
    );
    expect(tests.length).toBeGreaterThan(4);
    expect(missing(tests)).toEqual([]);
  });

  test("it names the pinned Bun, and a section for each way to contribute", () => {
    expect(contributing).toContain(`npx -y ${description.packageManager}`);
    const sections = ["Set up", "Check", "Test one file", "Add a group", "Add a setting", "Add an alert", "Release"];
    for (const section of sections) expect(contributing).toContain(`\n## ${section}\n`);
    expect(readFileSync(join(root, "README.md"), "utf8")).toContain("\n## Add a group\n");
  });
});

describe("the editors' settings", () => {
  test("agree with the formatter's", () => {
    const { formatter } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
    const lines = readFileSync(join(root, ".editorconfig"), "utf8").split("\n[*]\n")[1]?.split("\n\n")[0]?.split("\n");
    expect(lines).toContain(`indent_style = ${formatter.indentStyle}`);
    expect(lines).toContain(`indent_size = ${formatter.indentWidth}`);
    expect(lines).toContain(`max_line_length = ${formatter.lineWidth}`);
  });
});

test("the changelog has an unreleased part, and the version of package.json", () => {
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const { version }: { readonly version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(changelog).toContain("\n## [Unreleased]\n");
  expect(changelog).toContain(`\n## [${version}] - `);
});
