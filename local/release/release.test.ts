import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { release } from "./release.ts";

const folder = mkdtempSync(join(tmpdir(), "release-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n- Dark mode.\n\n## [0.1.0] - 2026-11-25\n\n- The first.\n";

/** A repository of one commit, whose `check` is this command. */
const aRepository = (check = "exit 0") => {
  const root = mkdtempSync(join(folder, "a repository "));
  const git = (...args: readonly string[]): string => {
    const { success, stdout, stderr } = Bun.spawnSync(["git", ...args], { cwd: root });
    if (!success) throw new Error(stderr.toString());
    return stdout.toString().trim();
  };
  const write = (name: string, text: string) => writeFileSync(join(root, name), text);
  const read = (name: string) => readFileSync(join(root, name), "utf8");
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "A Person");
  git("config", "user.email", "person@inbox.example");
  git("config", "commit.gpgsign", "false");
  git("config", "tag.gpgsign", "false");
  write("package.json", `${JSON.stringify({ name: "example", version: "0.1.0", scripts: { check } }, undefined, 2)}\n`);
  write("CHANGELOG.md", CHANGELOG);
  git("add", ".");
  git("commit", "--quiet", "-m", "Begin");
  const printed: string[] = [];
  const run = (asked: string, dryRun = false) =>
    release({ root, asked, dryRun, date: "2026-12-01", print: (line) => printed.push(line) });
  return { git, write, read, run, printed };
};

test("commits and tags the version, with its changes under its name, and says what comes next", () => {
  const { git, read, run, printed } = aRepository();
  const before = JSON.parse(read("package.json"));
  run("minor");

  expect(git("log", "--format=%s")).toBe("Release 0.2.0\nBegin");
  expect(git("tag", "--points-at", "HEAD")).toBe("v0.2.0");
  expect(git("cat-file", "-t", "v0.2.0")).toBe("tag");
  expect(git("status", "--porcelain")).toBe("");
  expect(JSON.parse(read("package.json"))).toEqual({ ...before, version: "0.2.0" });
  expect(read("CHANGELOG.md")).toContain("## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- Dark mode.\n");
  for (const words of ["0.1.0 -> 0.2.0", "git push --follow-tags", "--version 0.2.0"]) {
    expect(printed.join("\n")).toContain(words);
  }
});

test("--dry-run shows the same and changes nothing", () => {
  const { git, read, run, printed } = aRepository("exit 1");
  run("1.0.0", true);

  expect(git("log", "--format=%s")).toBe("Begin");
  expect([git("tag"), git("status", "--porcelain")]).toEqual(["", ""]);
  expect(read("CHANGELOG.md")).toBe(CHANGELOG);
  for (const words of ["0.1.0 -> 1.0.0", "- Dark mode.", "Would run `bun run check`", "tag v1.0.0"]) {
    expect(printed.join("\n")).toContain(words);
  }
});

test.each([
  ["a changed file", (at: ReturnType<typeof aRepository>) => at.write("CHANGELOG.md", `${CHANGELOG}\n`), "patch"],
  ["a new file", (at: ReturnType<typeof aRepository>) => at.write("new.ts", ""), "patch"],
  ["a tag that exists", (at: ReturnType<typeof aRepository>) => at.git("tag", "v0.1.1"), "patch"],
  ["a version that is not later", () => {}, "0.1.0"],
])("refuses %s, and changes nothing", (_, given, asked) => {
  const repository = aRepository();
  given(repository);
  const before = [repository.read("package.json"), repository.read("CHANGELOG.md"), repository.git("tag")];

  expect(() => repository.run(asked)).toThrow(/not committed|exists already|does not come after/);
  expect(repository.git("log", "--format=%s")).toBe("Begin");
  expect([repository.read("package.json"), repository.read("CHANGELOG.md"), repository.git("tag")]).toEqual(before);
});

test("refuses a check that fails, in its words, and changes nothing", () => {
  const { git, read, run } = aRepository("echo a type is wrong; exit 1");
  expect(() => run("patch")).toThrow(/`bun run check` failed:.*a type is wrong/s);
  expect(git("log", "--format=%s")).toBe("Begin");
  expect([git("tag"), git("status", "--porcelain"), read("CHANGELOG.md")]).toEqual(["", "", CHANGELOG]);
});
