import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { comparisonKey } from "../../database/comparison-key.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";
import { answerOf, deadLetter, GROUP } from "../operator-for-tests.ts";

describe("erasing a user", () => {
  test("cancels unsent mail, and a consumer that reads its entry later sends nothing", async () => {
    await using pipeline = await aPipeline();
    const { db, redis, keys } = pipeline;
    const outbox = anOutbox();
    const signup = aSignup({ idempotencyKeyHash: "ab".repeat(32) });
    const [eventId = ""] = await pipeline.signUp(signup, aSignup());
    const requests = [signup.email, "other@inbox.example"].map((email) => ({
      address_hash: createHash("sha256").update(comparisonKey(email)).digest(),
      last_at: new Date(),
      day_began_at: new Date(),
      in_day: 1,
    }));
    await db.insertInto("confirmation_requests").values(requests).execute();
    const answer = await answerOf(pipeline, "erase", signup.email.toUpperCase());
    expect(answer.json).toEqual({
      erasures: [
        {
          userId: signup.userId,
          userDeleted: true,
          idempotencyKeysDeleted: 1,
          suppressionsDeleted: 0,
          confirmationRequestsDeleted: 1,
          cancelled: [eventId],
          deliveriesKept: 1,
        },
      ],
    });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "cancelled", reason: "user_erased" });
    expect(await db.selectFrom("users").select("id").where("id", "=", signup.userId).execute()).toEqual([]);
    await pipeline.consumer(outbox.work);
    await eventually(() => outbox.sent.length === 1);
    await eventually(async () => (await redis.xpending(keys.events, GROUP))[0] === 0);
    expect(outbox.sent).not.toContain(eventId);
    expect((await pipeline.status(eventId))?.state).toBe("cancelled");
  });

  test("finds an address by its international domain, as people write it, and so does who looks or lifts a suppression", async () => {
    await using pipeline = await aPipeline();
    const signup = aSignup({ email: "hoa@xn--bcher-kva.example", emailKey: "hoa@xn--bcher-kva.example" });
    const [eventId = ""] = await pipeline.signUp(signup);
    const written = "Hoa@bücher.example";
    const suppression = { email_key: signup.email, reason: "no_such_address", event_id: eventId };
    await pipeline.db.insertInto("suppressions").values(suppression).execute();
    await answerOf(pipeline, "suppressions", "lift", written);
    expect(await pipeline.db.selectFrom("suppressions").select("reason").execute()).toEqual([]);
    expect((await answerOf(pipeline, "find", written)).json).toMatchObject({ signups: [{ userId: signup.userId }] });
    expect((await answerOf(pipeline, "erase", written)).json).toMatchObject({
      erasures: [{ userId: signup.userId, userDeleted: true }],
    });
  });

  test("while its mail is in flight: it is sent, and the ledger says so", async () => {
    await using pipeline = await aPipeline();
    const release = Promise.withResolvers<void>();
    const outbox = anOutbox();
    await pipeline.consumer(async (...args) => {
      // Past its commit point: before it, whoever learns that the delivery is cancelled calls the mail back.
      const outcome = await outbox.work(...args);
      await release.promise;
      return outcome;
    });
    const signup = aSignup();
    const [eventId = ""] = await pipeline.signUp(signup);
    await eventually(async () => (await pipeline.status(eventId))?.state === "active");
    await answerOf(pipeline, "erase", signup.userId);
    expect((await pipeline.status(eventId))?.state).toBe("cancelled");
    release.resolve();
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  });

  test("keeps a sent or dead mail in its state, without the server's reply; a redrive of it is cancelled", async () => {
    await using pipeline = await aPipeline();
    const { db } = pipeline;
    const [eventId = ""] = await deadLetter(pipeline, 1);
    const { subject } = await db.selectFrom("events").select("subject").executeTakeFirstOrThrow();
    expect(await db.selectFrom("deliveries").select(["state", "reply"]).execute()).toEqual([
      { state: "dead", reply: "550 no" },
    ]);
    await answerOf(pipeline, "erase", subject);
    expect(await db.selectFrom("deliveries").select(["state", "reply"]).execute()).toEqual([
      { state: "dead", reply: null },
    ]);
    expect((await answerOf(pipeline, "find", eventId)).json).toMatchObject({
      signups: [{ userName: null, email: null, deliveries: [{ eventId, state: "dead" }] }],
    });
    await answerOf(pipeline, "dead", "retry", eventId);
    await pipeline.consumer(anOutbox().work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "cancelled");
    // Erasing again is no error: there is nothing left to do.
    expect((await answerOf(pipeline, "erase", subject)).json).toMatchObject({ erasures: [{ userDeleted: false }] });
  });

  test("that does not exist is an error", async () => {
    await using pipeline = await aPipeline();
    await expect(answerOf(pipeline, "erase", "nobody")).rejects.toThrow("there is no such user");
  });
});
