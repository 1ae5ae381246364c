import { expect, test } from "bun:test";
import { anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";
import { allSent } from "../../tests/pipeline-states.ts";
import type { Outcome } from "./handler.ts";

const unreachable: Outcome = { kind: "unavailable", reason: "connection_refused", isUnreached: true };
const answered: Outcome = { kind: "unavailable", reason: "system_status" };

test("a piece whose system was not reached has no failure; its entry counts how often in a row, and since when", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, db } = pipeline;
  const outbox = anOutbox();
  const failures: number[] = [];
  const carried: (readonly (string | undefined)[])[] = [];
  await pipeline.consumer(
    async (claim, ...more) => {
      failures.push(claim.failures);
      const entries = await redis.xrevrange(keys.retriesStream("welcome-email"), "+", "-", "COUNT", 1);
      const fields = entries[0]?.[1] ?? [];
      const fieldOf = (name: string) => (fields.includes(name) ? fields[fields.indexOf(name) + 1] : undefined);
      carried.push([fieldOf("unreached"), fieldOf("lastfailure"), fieldOf("firstfailure")]);
      if (failures.length === 4) return answered;
      return failures.length <= 3 ? unreachable : outbox.work(claim, ...more);
    },
    { retryMax: 1, retryDelayMs: 5 },
  );
  const [eventId = ""] = await pipeline.signUp(aSignup());
  await allSent(pipeline, [eventId]);
  expect(failures).toEqual([0, 0, 0, 0, 1]);
  const since = carried[1]?.[2];
  expect(since).toMatch(/^\d{4}-/);
  expect(carried.slice(1)).toEqual([
    ["1", undefined, since],
    ["2", undefined, since],
    ["3", undefined, since],
    [undefined, "system_status", since],
  ]);
  const rows = await db.selectFrom("deliveries").select(["attempts", "system_failures"]).execute();
  expect(rows).toContainEqual({ attempts: 1, system_failures: 1 });
});
