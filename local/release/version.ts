/** What may stand after `bun run release`: a part to raise, or the version itself. */
const STEPS = ["major", "minor", "patch"] as const;

/** `X.Y.Z` with an optional pre-release, without leading zeros and build metadata (Semantic Versioning 2.0.0). */
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** A version that cannot be released. The message says what was expected. */
export class BadVersion extends Error {
  override readonly name = "BadVersion";
}

const partsOf = (version: string): readonly [major: number, minor: number, patch: number, preRelease: string] => {
  const found = VERSION.exec(version);
  if (found === null) {
    throw new BadVersion(`${JSON.stringify(version)} is no version; expected ${STEPS.join(", ")} or X.Y.Z`);
  }
  const [, major, minor, patch, preRelease = ""] = found;
  return [Number(major), Number(minor), Number(patch), preRelease];
};

/** Below 0: `one` comes before `other`. A pre-release comes before its release. */
const compare = (one: string, other: string): number => Bun.semver.order(one, other);

/**
 * The version that is released next: 1.2.3 becomes 1.2.4 by `patch`, 1.3.0 by `minor`, 2.0.0 by `major`, or the one that
 * is named, if it comes later. 1.3.0-rc.1 becomes 1.3.0 by `patch` or `minor`.
 *
 * @throws {BadVersion}
 */
export const nextVersion = (current: string, asked: string): string => {
  const [major, minor, patch, preRelease] = partsOf(current);
  const isPreRelease = preRelease !== "";
  switch (asked) {
    case "major":
      return isPreRelease && minor === 0 && patch === 0 ? `${major}.0.0` : `${major + 1}.0.0`;
    case "minor":
      return isPreRelease && patch === 0 ? `${major}.${minor}.0` : `${major}.${minor + 1}.0`;
    case "patch":
      return `${major}.${minor}.${isPreRelease ? patch : patch + 1}`;
    default:
      partsOf(asked);
      if (compare(asked, current) <= 0) throw new BadVersion(`${asked} does not come after ${current}`);
      return asked;
  }
};
