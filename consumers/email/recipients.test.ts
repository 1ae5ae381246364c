import { describe, expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, silentLog } from "../../tests/pipeline.ts";
import { suppressRecipient } from "./recipients.ts";

describe("an address that does not exist", () => {
  test("is suppressed with the refusal; a later mail to it is `suppressed` without an attempt; lifted, mail flows again", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const signup = aSignup();
    const suppress = suppressRecipient(pipeline.db, silentLog);
    const refusing = await pipeline.consumer(async ({ eventId }, recipient, { signal }) => {
      await suppress(recipient, eventId, signal);
      return { kind: "rejected", reason: "no_such_address", reply: "550 5.1.1" };
    });
    const [refused = ""] = await pipeline.signUp(signup);
    await eventually(async () => (await pipeline.status(refused))?.state === "dead");
    await refusing.stop();

    await pipeline.db.deleteFrom("users").execute();
    const [again = ""] = await pipeline.signUp(aSignup({ email: signup.email, emailKey: signup.emailKey }));
    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(again))?.state === "suppressed");
    expect(outbox.sent).toEqual([]);

    await pipeline.db.deleteFrom("suppressions").execute();
    await pipeline.db.deleteFrom("users").execute();
    const [lifted = ""] = await pipeline.signUp(aSignup({ email: signup.email, emailKey: signup.emailKey }));
    await eventually(async () => (await pipeline.status(lifted))?.state === "done");
  });
});
