import { expect, test } from "bun:test";
import {
  declinedAtOf,
  declinedSinceOf,
  dueOf,
  unreachedOf,
  withCrashes,
  withDecline,
  withDue,
  withFailure,
  withoutAnAttempt,
  withPass,
  withUnreached,
} from "./failure-fields.ts";

test("an entry's counters are brought up to date, its first failure and its own fields are kept", () => {
  const first = withFailure(["id", "1", "data", "{}"], { attempts: 1, at: "t1", reason: "dns" });
  expect(first).toEqual(["id", "1", "data", "{}", "attempts", "1", "firstfailure", "t1", "lastfailure", "dns"]);
  const second = withFailure(first, { attempts: 2, at: "t2", reason: "mailbox_full" });
  expect(second).toEqual([
    ...["id", "1", "data", "{}"],
    ...["attempts", "2", "firstfailure", "t1", "lastfailure", "mailbox_full"],
  ]);
});

test("how often in a row the system was not reached is kept while the entry waits, and ends with a failure", () => {
  const failed = withFailure(["id", "1"], { attempts: 1, at: "t1", reason: "try_later" });
  const raw = withUnreached(withUnreached([...failed, "crashes", "2", "passes", "3"], "t2"), "t3");
  expect(raw).toEqual([...failed, "unreached", "2"]);
  expect(unreachedOf(withPass(withCrashes(raw, 2), 1))).toBe(2);
  expect(unreachedOf(withFailure(raw, { attempts: 2, at: "t2", reason: "try_later" }))).toBe(0);
  expect(withUnreached(withUnreached(["id", "1"], "t1"), "t2")).toEqual([
    "id",
    "1",
    "firstfailure",
    "t1",
    "unreached",
    "2",
  ]);
  expect(unreachedOf(["unreached", "-1"])).toBe(0);
  expect(unreachedOf(undefined)).toBe(0);
});

test("what is declined knows when it was asked for; hastened, it stays due as it was until then, and until another failure", () => {
  const failure = { attempts: 0, at: "t1", reason: "greylisted" };
  const declined = withDecline(["id", "1"], failure, { askedAtMs: 1_000, since: 0 });
  expect([declinedAtOf(declined), dueOf(declined)]).toEqual([1_000, 0]);
  const hastened = withDue(withDue(declined, 300_999.5), 2_000);
  expect(dueOf(hastened)).toBe(301_000);
  const again = withDecline(hastened, failure, { askedAtMs: 50_000, since: 40_000 });
  expect([declinedAtOf(again), dueOf(again)]).toEqual([50_000, 301_000]);
  // Since when everything was, for who is started later.
  expect([declinedSinceOf(declined), declinedSinceOf(again)]).toEqual([0, 40_000]);
  expect(declinedSinceOf(withDecline(again, failure, { askedAtMs: 60_000, since: 0 }))).toBe(0);
  expect(dueOf(withDecline(again, failure, { askedAtMs: 301_000, since: 0 }))).toBe(0);
  expect(declinedAtOf(withFailure(again, failure))).toBe(0);
  // It is not asked for, so to hasten it once more would be in vain.
  const waiting = withoutAnAttempt([...again, "crashes", "2"]);
  expect([declinedAtOf(waiting), declinedSinceOf(waiting), dueOf(waiting), waiting.includes("crashes")]).toEqual([
    0,
    0,
    301_000,
    false,
  ]);
});
