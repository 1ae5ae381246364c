import { expect, test } from "bun:test";
import { affectedBy } from "./affected.ts";

const files = {
  api: new Set(["api/main.ts", "api/signup/routes.ts", "stream/keys.ts", "stream/scripts/lag.lua"]),
  consumers: new Set(["consumers/main.ts", "stream/keys.ts", "stream/scripts/retry.lua"]),
};

test.each([
  ["a file of the API", ["api/signup/routes.ts"], ["api"], false],
  ["a file of the consumers", ["consumers/main.ts"], ["consumers"], false],
  ["what both import", ["stream/keys.ts"], ["api", "consumers"], false],
  ["a script that one of them loads", ["stream/scripts/retry.lua"], ["consumers"], false],
  ["a file of each", ["consumers/main.ts", "api/main.ts"], ["api", "consumers"], false],
  ["a folder that was moved", ["api/signup"], ["api"], false],
  ["a migration", ["database/migrations/0003-payments.ts"], ["api", "consumers"], true],
  ["the test of a migration", ["database/migrations/0003-payments.test.ts"], [], false],
  ["a test", ["api/signup/routes.test.ts"], [], false],
  ["a document", ["stream/README.md"], [], false],
  ["a folder whose name begins like that of another", ["api/sign"], [], false],
  ["a file that nobody imports yet", ["stream/new.ts"], [], false],
  ["nothing", [], [], false],
] as const)("%s: what loads it is restarted, and nothing else", (_, paths, parts, migrate) => {
  expect(affectedBy(paths, files)).toEqual({ migrate, parts: [...parts] });
});
