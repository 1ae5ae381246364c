import { expect, test } from "bun:test";
import { BadChangelog, releaseChangelog } from "./changelog.ts";

const HEAD = "# Changelog\n\nAll notable changes.\n\n## [Unreleased]\n";
const OLD = "## [0.1.0] - 2026-11-25\n\n### Added\n\n- The first.\n";

test("what is unreleased moves under the version, and an empty part stays", () => {
  const released = releaseChangelog(`${HEAD}\n### Added\n\n- Dark mode.\n\n${OLD}`, "0.2.0", "2026-12-01");
  expect(released.notes).toBe("### Added\n\n- Dark mode.");
  expect(released.text).toBe(`${HEAD}\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- Dark mode.\n\n${OLD}`);
});

test("the first version has none before it", () => {
  const released = releaseChangelog(`${HEAD}\n- All of it.\n`, "0.1.0", "2026-12-01");
  expect(released.text).toBe(`${HEAD}\n## [0.1.0] - 2026-12-01\n\n- All of it.\n`);
});

test.each([
  ["no unreleased part", `# Changelog\n\n${OLD}`, "0.2.0", "has no section"],
  ["an empty part", `${HEAD}\n${OLD}`, "0.2.0", "say what the release changes"],
  ["headings alone", `${HEAD}\n### Added\n\n### Fixed\n\n${OLD}`, "0.2.0", "say what the release changes"],
  ["a version that is there", `${HEAD}\n- More.\n\n${OLD}`, "0.1.0", "has a section for 0.1.0 already"],
])("refuses %s", (_, text, version, words) => {
  expect(() => releaseChangelog(text, version, "2026-12-01")).toThrow(BadChangelog);
  expect(() => releaseChangelog(text, version, "2026-12-01")).toThrow(words);
});
