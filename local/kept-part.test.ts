import { expect, test } from "bun:test";
import { reasonToGiveUp } from "./kept-part.ts";

const quick = [0, 1_000, 2_000, 3_000, 4_000];

test.each([
  ["a consumer's first death", "signal SIGKILL", [0], 5, undefined],
  ["its fifth within 10 s", "exit code 1", quick, 5, "exit code 1, 5 times within 10 s"],
  ["its fifth, the first of them long ago", "exit code 1", [0, 8_000, 9_000, 10_000, 11_000], 5, undefined],
  ["settings that were refused", "exit code 78", [0], 5, "exit code 78"],
  ["a part whose first death is final", "signal SIGKILL", [0], 1, "signal SIGKILL"],
])("whether a part starts again: %s", (_, how, deaths, maxDeaths, reason) => {
  expect(reasonToGiveUp(how, deaths, maxDeaths)).toBe(reason);
});
