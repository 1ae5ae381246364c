import { expect, test } from "bun:test";
import { withFailure } from "./failure-fields.ts";

test("an entry's counters are brought up to date, its first failure and its own fields are kept", () => {
  const first = withFailure(["id", "1", "data", "{}"], { attempts: 1, at: "t1", reason: "dns" });
  expect(first).toEqual(["id", "1", "data", "{}", "attempts", "1", "firstfailure", "t1", "lastfailure", "dns"]);
  const second = withFailure(first, { attempts: 2, at: "t2", reason: "mailbox_full" });
  expect(second).toEqual([
    ...["id", "1", "data", "{}"],
    ...["attempts", "2", "firstfailure", "t1", "lastfailure", "mailbox_full"],
  ]);
});
