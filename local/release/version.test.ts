import { expect, test } from "bun:test";
import { BadVersion, nextVersion } from "./version.ts";

test.each([
  ["1.2.3", "patch", "1.2.4"],
  ["1.2.3", "minor", "1.3.0"],
  ["1.2.3", "major", "2.0.0"],
  ["0.9.9", "minor", "0.10.0"],
  ["1.3.0-rc.1", "patch", "1.3.0"],
  ["1.3.0-rc.1", "minor", "1.3.0"],
  ["1.3.1-rc.1", "minor", "1.4.0"],
  ["2.0.0-rc.1", "major", "2.0.0"],
  ["2.1.0-rc.1", "major", "3.0.0"],
  ["1.2.3", "1.2.10", "1.2.10"],
  ["1.2.3", "2.0.0-rc.1", "2.0.0-rc.1"],
  ["2.0.0-rc.2", "2.0.0", "2.0.0"],
])("%s is followed by %s: %s", (current, asked, next) => {
  expect(nextVersion(current, asked)).toBe(next);
});

test.each([
  ["1.2.3", "1.2.3", "does not come after"],
  ["1.2.10", "1.2.9", "does not come after"],
  ["2.0.0", "2.0.0-rc.1", "does not come after"],
  ["1.2.3", "v1.2.4", "expected major, minor, patch or X.Y.Z"],
  ["1.2.3", "1.2", "expected major, minor, patch or X.Y.Z"],
  ["1.2.3", "01.2.4", "expected major, minor, patch or X.Y.Z"],
  ["1.2.3", "1.2.4+build", "expected major, minor, patch or X.Y.Z"],
  ["1.2.3", "", "expected major, minor, patch or X.Y.Z"],
  ["latest", "patch", "is no version"],
])("%s is not followed by %p", (current, asked, words) => {
  expect(() => nextVersion(current, asked)).toThrow(BadVersion);
  expect(() => nextVersion(current, asked)).toThrow(words);
});
