const UNRELEASED = "## [Unreleased]";
const NEXT_SECTION = /^## \[/m;

/** A changelog that has nothing to release. The message says what was expected. */
export class BadChangelog extends Error {
  override readonly name = "BadChangelog";
}

/** A changelog whose `Unreleased` part became a version. */
export interface ReleasedChangelog {
  /** The whole file. */
  readonly text: string;
  /** What this version changes. */
  readonly notes: string;
}

/**
 * Moves what is unreleased under the new version, and leaves an empty `Unreleased` part (Keep a Changelog 1.1.0). The
 * date is `YYYY-MM-DD`.
 *
 * @throws {BadChangelog}
 */
export const releaseChangelog = (text: string, version: string, date: string): ReleasedChangelog => {
  const at = text.indexOf(`\n${UNRELEASED}\n`);
  if (at < 0) throw new BadChangelog(`CHANGELOG.md has no section "${UNRELEASED}"`);
  if (text.includes(`\n## [${version}]`)) throw new BadChangelog(`CHANGELOG.md has a section for ${version} already`);
  const begin = at + UNRELEASED.length + 2;
  const length = text.slice(begin).search(NEXT_SECTION);
  const end = length < 0 ? text.length : begin + length;
  const notes = text.slice(begin, end).trim();
  // Headings alone say nothing.
  if (notes.split("\n").every((line) => line === "" || line.startsWith("#"))) {
    throw new BadChangelog(`nothing stands under "${UNRELEASED}" in CHANGELOG.md: say what the release changes`);
  }
  const rest = text.slice(end);
  const released = `${text.slice(0, begin)}\n## [${version}] - ${date}\n\n${notes}\n`;
  return { notes, text: rest === "" ? released : `${released}\n${rest}` };
};
