import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { releaseChangelog } from "./changelog.ts";
import { nextVersion } from "./version.ts";

/** Why nothing is released. The message says what to do. */
export class NotReleasable extends Error {
  override readonly name = "NotReleasable";
}

export interface ReleaseOptions {
  /** The top folder of a git working tree, with package.json and CHANGELOG.md. */
  readonly root: string;
  /** `major`, `minor`, `patch` or a version. */
  readonly asked: string;
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** Says what would be done, and changes nothing. */
  readonly dryRun: boolean;
  readonly print: (line: string) => void;
}

const FILES = ["CHANGELOG.md", "package.json"];

/** Runs a command in the folder, and gives what it printed. */
const run = (root: string, command: readonly string[]): { readonly ok: boolean; readonly output: string } => {
  const { success, stdout, stderr } = Bun.spawnSync([...command], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  return { ok: success, output: `${stdout}${stderr}`.trim() };
};

const git = (root: string, ...args: readonly string[]): string => {
  const { ok, output } = run(root, ["git", ...args]);
  if (!ok) throw new NotReleasable(`git ${args[0]} failed: ${output}`);
  return output;
};

const versionIn = (description: string): string => {
  const { version }: { readonly version?: unknown } = JSON.parse(description);
  if (typeof version !== "string") throw new NotReleasable("package.json has no version");
  return version;
};

const refuseIfDirty = (root: string): void => {
  const changes = git(root, "status", "--porcelain");
  if (changes !== "") throw new NotReleasable(`these files are not committed:\n${changes}`);
};

const refuseIfTagged = (root: string, tag: string): void => {
  if (git(root, "tag", "--list", tag) !== "") throw new NotReleasable(`the tag ${tag} exists already`);
};

const refuseIfRed = (root: string): void => {
  const { ok, output } = run(root, [process.execPath, "run", "check"]);
  if (!ok) throw new NotReleasable(`\`bun run check\` failed:\n${output}`);
};

/** What a person does after the commit and its tag. */
const next = (version: string): string =>
  `Next:
  git push --follow-tags
  bun run --silent sbom > signup-stream-${version}.cdx.json
  docker buildx build --push --sbom=true --provenance=mode=max -t REPOSITORY/signup-stream:${version} \\
    --build-arg VERSION=${version} --build-arg REVISION=$(git rev-parse HEAD) \\
    --build-arg SOURCE=$(git remote get-url origin) --build-arg CREATED=$(git show -s --format=%cI HEAD) .
  bun k8s/release.ts --image REPOSITORY/signup-stream --version ${version}
Without buildx: docker build and docker push with the same arguments, and --digest with what the push printed.`;

/**
 * Releases a version: moves the changelog's unreleased part under it, writes it to package.json, commits and tags. Nothing
 * leaves the machine.
 *
 * @throws {NotReleasable | BadVersion | BadChangelog} before anything is changed
 */
export const release = ({ root, asked, date, dryRun, print }: ReleaseOptions): void => {
  const description = readFileSync(join(root, "package.json"), "utf8");
  const current = versionIn(description);
  const version = nextVersion(current, asked);
  const tag = `v${version}`;
  const changelog = releaseChangelog(readFileSync(join(root, "CHANGELOG.md"), "utf8"), version, date);
  refuseIfDirty(root);
  refuseIfTagged(root, tag);
  print(`${current} -> ${version}\n\n${changelog.notes}\n`);
  if (dryRun) {
    print(`Would run \`bun run check\`, change ${FILES.join(" and ")}, commit "Release ${version}" and tag ${tag}.`);
    print(next(version));
    return;
  }
  print("running `bun run check`");
  refuseIfRed(root);
  // It must not have changed what is released.
  refuseIfDirty(root);
  writeFileSync(join(root, "CHANGELOG.md"), changelog.text);
  writeFileSync(
    join(root, "package.json"),
    description.replace(/("version":\s*")[^"]*"/, (_, key: string) => `${key}${version}"`),
  );
  try {
    git(root, "commit", "--quiet", "-m", `Release ${version}`, "--", ...FILES);
    git(root, "tag", "--annotate", tag, "-m", `Release ${version}`);
  } catch (error) {
    print(`Undo what was begun with: git restore --source=HEAD --staged --worktree ${FILES.join(" ")}`);
    throw error;
  }
  print(`committed and tagged ${tag}; nothing was pushed. ${next(version)}`);
};
