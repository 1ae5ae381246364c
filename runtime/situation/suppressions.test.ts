import { expect, test } from "bun:test";
import { describe as describeFacts } from "./describe.ts";
import type { Facts } from "./facts.ts";
import { facts } from "./facts-for-tests.ts";

const suppressed = (count: number, reason = "no_such_address") => ({
  reason,
  count,
  isBound: false,
  firstAt: new Date("2026-11-28T06:01:00Z"),
});

test.each<[string, Facts, string]>([
  [
    "a provider says of every address that there is none",
    facts({ lastHour: { total: 47, medianMs: 100 } }, { suppressed: [suppressed(302)] }),
    "trouble: 302 addresses were suppressed (no_such_address) since 06:01 UTC, beside 47 mails sent in the last hour: the other side may be wrong",
  ],
  [
    "a provider reports many bounces",
    facts({ lastHour: { total: 400, medianMs: 100 } }, { suppressed: [suppressed(50, "bounced")] }),
    "notice: 50 addresses were suppressed (bounced) since 06:01 UTC, beside 400 mails sent in the last hour: the other side may be wrong",
  ],
  [
    "people mistype their addresses",
    facts({ lastHour: { total: 4_000, medianMs: 100 } }, { suppressed: [suppressed(80)] }),
    "well: All is well: 4,000 mails in the last hour, half of them within 100 ms",
  ],
])("%s", (_, known, expected) => {
  const [first] = describeFacts(known);
  expect(`${first.level}: ${first.sentence}`).toBe(expected);
});

test("a wrong refusal of many addresses is mended by two commands that can be copied", () => {
  const [{ remedy }] = describeFacts(facts({}, { suppressed: [suppressed(302)] }));
  expect(remedy).toContain(
    "ops suppressions lift --reason no_such_address --since 2026-11-28T06:01Z; then: ops deliveries retry --state dead --reason no_such_address --since 2026-11-28T06:01Z",
  );
});

test("a wrong report of many bounces is mended by lifting them: their mails are not dead", () => {
  const [{ remedy }] = describeFacts(facts({}, { suppressed: [suppressed(40, "bounced 5.1.1")] }));
  expect(remedy).toBe(
    "if so, once it answers rightly: ops suppressions lift --reason 'bounced 5.1.1' --since 2026-11-28T06:01Z",
  );
});

test.each([
  ["not_me", "notice: 302 addresses were suppressed (not_me) since 06:01 UTC, beside 47 mails sent in the last hour"],
  ["complained", "notice: 302 addresses were suppressed (complained) since 06:01 UTC, beside 47 mails"],
])("what people want no more (%s) nobody is asked to lift", (reason, expected) => {
  const suppressions = { suppressed: [suppressed(302, reason)] };
  const [{ level, sentence, remedy }] = describeFacts(facts({ lastHour: { total: 47, medianMs: 100 } }, suppressions));
  expect(`${level}: ${sentence}`).toStartWith(expected);
  expect(sentence).not.toContain("may be wrong");
  expect(remedy).not.toContain("ops suppressions lift");
});
