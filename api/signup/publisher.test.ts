import { expect, test } from "bun:test";
import { aPipeline, aSignup } from "../../tests/pipeline.ts";

test("a published event leaves the outbox, also after there was nothing to delete", async () => {
  await using pipeline = await aPipeline();
  for (let time = 0; time < 3; time += 1) {
    // Nothing was published when its rows are deleted.
    await pipeline.signUp();
    await pipeline.signUp(aSignup());
    expect(await pipeline.db.selectFrom("outbox").select("event_id").execute()).toEqual([]);
  }
});
