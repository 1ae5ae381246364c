import { describe, expect, test } from "bun:test";
import { suppressAddress } from "../../database/users/suppressions.ts";
import { eventually } from "../../tests/eventually.ts";
import type { MailWork } from "../../tests/pipeline.ts";
import { aPipeline, aSignup } from "../../tests/pipeline.ts";

/** Work that waits for its turn until the test lets it begin, or it is given up. */
const aQueue = () => {
  const waiting = new Set<string>();
  const begun: string[] = [];
  const turn = Promise.withResolvers<void>();
  const work: MailWork = async ({ eventId }, _, attempt) => {
    waiting.add(eventId);
    const isGivenUp = new Promise<void>((resolve) => attempt.signal.addEventListener("abort", () => resolve()));
    await Promise.race([turn.promise, isGivenUp]);
    waiting.delete(eventId);
    if (!attempt.commit()) return { kind: "released", reason: String(attempt.signal.reason) };
    begun.push(eventId);
    return { kind: "done" };
  };
  return { waiting, begun, work, begin: () => turn.resolve() };
};

describe("work that waits for its turn", () => {
  test("is looked up again: what must not be done any more is not, and what else waits is done once", async () => {
    await using pipeline = await aPipeline();
    const queue = aQueue();
    await pipeline.consumer(queue.work, { claimMinIdleMs: 10_000 });
    const [gone, stays] = [aSignup(), aSignup()];
    const [goneId = "", staysId = ""] = await pipeline.signUp(gone, stays);
    await eventually(() => queue.waiting.size === 2);

    await suppressAddress(pipeline.db, { addressKey: gone.emailKey, reason: "bounced", eventId: goneId });
    await eventually(async () => (await pipeline.status(goneId))?.state === "suppressed");
    expect([...queue.waiting]).toEqual([staysId]);

    queue.begin();
    await eventually(async () => (await pipeline.status(staysId))?.state === "done");
    expect(queue.begun).toEqual([staysId]);
    expect(await pipeline.status(staysId)).toMatchObject({ attempts: 1 });
  });
});
