import { expect, test } from "bun:test";
import { join } from "node:path";
import { meaningOf, meaningsOf } from "./reasons.ts";

const root = join(import.meta.dir, "../..");
const FOLDERS = ["consumers", "database/ledger", "runtime/webhook"];
const FILES = new Bun.Glob("**/*.ts");
/** What a reason is called where it is made. */
const REASON = /(?:reason: |reason = |_REASONS?\b.* = |return )"([a-z]+(?:_[a-z]+)*)"/g;
/** Words of other things in these places: steps that no delivery rests in, and other functions' results. */
const NO_REASONS = new Set([
  "redriven",
  "replayed",
  "breaker_open",
  "lease_lost",
  "called_back",
  "no_free_connection",
  "not_ready",
  // Of a log line, of a look-up, of a column.
  "not_found",
  "reason",
  "obstacle",
]);

/** The literals that follow `reason`, and those that the classification of failures returns. */
const reasonsOfCode = async (): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  const paths = FOLDERS.flatMap((folder) =>
    [...FILES.scanSync(join(root, folder))].map((path) => join(root, folder, path)),
  );
  for (const path of paths) {
    if (path.includes(".test.") || path.includes("for-tests")) continue;
    const text = await Bun.file(path).text();
    const isClassification = path.endsWith("classify.ts");
    for (const [match, reason = ""] of text.matchAll(REASON)) {
      if (match.startsWith("return") && !isClassification) continue;
      found.add(reason);
    }
  }
  return found;
};

test("every reason of a delivery has a meaning that operators can read", async () => {
  const reasons = await reasonsOfCode();
  expect(reasons.size).toBeGreaterThan(25);
  expect([...reasons].filter((reason) => !NO_REASONS.has(reason) && meaningOf(reason) === undefined)).toEqual([]);
});

test.each([
  ["status_422", "the receiver answered 422; it refuses this event"],
  ["status_404", "the receiver answered 404; tried again, until it expires"],
  ["status_429", "the receiver answered 429; tried again, until it expires"],
  ["status_503", "the receiver answered 503; tried again, until it expires"],
  ["database_53300", "the database did not do it; tried again"],
  ["constructor", undefined],
  ["of_your_own", undefined],
])("%s", (reason, meaning) => expect(meaningOf(reason)).toBe(meaning));

test("of several, each is said once, and what is not known is left out", () => {
  expect(meaningsOf(["expired", null, "of_your_own", "expired"])).toEqual([
    ["expired", "it was not done within its time"],
  ]);
});
