import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { z } from "zod";
import { comparisonKey } from "../../database/comparison-key.ts";
import { suppressAddress } from "../../database/users/suppressions.ts";
import { aPipeline, type Pipeline } from "../../tests/pipeline.ts";
import { answerOf, deadLetter, GROUP, textOf } from "../operator-for-tests.ts";

const listed = z.object({
  letters: z.array(z.object({ letterId: z.string() })),
  next: z.string().nullable(),
  total: z.number(),
});

/** The key of the address of an event's user. */
const addressOf = async ({ db }: Pipeline, eventId: string): Promise<string> => {
  const { email } = await db
    .selectFrom("events")
    .innerJoin("users", (join) => join.on(sql<boolean>`users.id::text = events.subject`))
    .where("event_id", "=", eventId)
    .select("email")
    .executeTakeFirstOrThrow();
  return comparisonKey(email);
};

describe("dead letters", () => {
  test("are listed the newest first, in a span of time, page by page", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const letter = (id: string, reason: string) => redis.xadd(keys.dead(GROUP), id, "reason", reason, "fields", "[]");
    for (const [at, id] of ["1000-0", "2000-0", "2000-1", "3000-0", "4000-0"].entries())
      await letter(id, `reason ${at}`);
    const list = async (...flags: string[]) => {
      const { letters, next, total } = listed.parse((await answerOf(pipeline, "dead", "list", ...flags)).json);
      return { ids: letters.map(({ letterId }) => letterId), next, total };
    };
    expect(await list("--limit", "2")).toEqual({ ids: ["1000-0", "2000-0"], next: `2000-0/${GROUP}`, total: 5 });
    expect((await list("--limit", "2", "--cursor", `2000-0/${GROUP}`)).ids).toEqual(["2000-1", "3000-0"]);
    const newest = await list("--newest", "--limit", "3");
    expect(newest).toEqual({ ids: ["4000-0", "3000-0", "2000-1"], next: `2000-1/${GROUP}`, total: 5 });
    const rest = await list("--newest", "--cursor", newest.next ?? "");
    expect(rest).toEqual({ ids: ["2000-0", "1000-0"], next: null, total: 2 });
    const span = ["--since", "1970-01-01T00:00:02Z", "--before", "1970-01-01T00:00:04Z"];
    expect((await list(...span)).ids).toEqual(["2000-0", "2000-1", "3000-0"]);
    expect(await textOf(pipeline, "dead", "retry", "--all", ...span, "--dry-run")).toContain(
      "3 letters, nothing was done",
    );
  });

  test("with a reason that no letter has are an error that names the reasons there are", async () => {
    await using pipeline = await aPipeline();
    await deadLetter(pipeline, 1, "content_refused");
    for (const words of [["list"], ["retry"], ["drop"]]) {
      await expect(answerOf(pipeline, "dead", ...words, "--reason", "nosuch")).rejects.toThrow(
        "there are: content_refused",
      );
    }
  });

  test("are changed by the hundred only when that is confirmed", async () => {
    await using pipeline = await aPipeline();
    await deadLetter(pipeline, 101);
    for (const word of ["retry", "drop"]) {
      expect(await answerOf(pipeline, "dead", word, "--all")).toMatchObject({ failed: true });
    }
    expect((await answerOf(pipeline, "dead", "list")).json).toMatchObject({ total: 101 });
    expect(await textOf(pipeline, "dead", "retry", "--all", "--yes")).toContain("101 letters: queued again");
  });

  test("of suppressed addresses stay, and the preview says so; once lifted, in bulk too, they are queued", async () => {
    await using pipeline = await aPipeline();
    const { db } = pipeline;
    const [one = "", two = "", other = ""] = await deadLetter(pipeline, 3, "no_such_address");
    for (const eventId of [one, two])
      await suppressAddress(db, { addressKey: await addressOf(pipeline, eventId), reason: "no_such_address", eventId });
    const preview = await textOf(pipeline, "dead", "retry", "--all", "--dry-run");
    expect(preview).toContain("1 letter: would be queued");
    expect(preview).toContain("2 letters: would stay dead: the address is suppressed");
    expect(await textOf(pipeline, "dead", "retry", "--all")).toContain("suppressions lift");
    expect((await pipeline.status(other))?.state).toBe("queued");
    expect((await pipeline.status(one))?.state).toBe("dead");
    expect((await answerOf(pipeline, "dead", "retry", one)).failed).toBe(true);
    const lift = (...flags: string[]) =>
      textOf(pipeline, "suppressions", "lift", "--reason", "no_such_address", ...flags);
    await expect(lift("--before", "1h")).rejects.toThrow("there are: no_such_address");
    expect(await lift("--since", "1h", "--dry-run")).toBe("2 addresses would be lifted");
    const [lifted, remedy] = (await lift()).split("\n");
    expect(lifted).toBe("2 addresses lifted");
    expect(remedy).toContain("until it is retried: ops deliveries retry");
    expect(await textOf(pipeline, "dead", "retry", "--all")).toContain("2 letters: queued again");
  });

  test.each([
    ["by hand", "ops deliveries retry --state dead --reason 'by hand' --dry-run"],
    ["bounced 5.1.1", undefined],
    ["not_me", undefined],
  ])("none is by what was suppressed later, or by its owner (%s)", async (reason, remedy) => {
    await using pipeline = await aPipeline();
    await suppressAddress(pipeline.db, { addressKey: "a@example.org", reason, eventId: Bun.randomUUIDv7() });
    const [lifted, said] = (await textOf(pipeline, "suppressions", "lift", "--reason", reason)).split("\n");
    expect(lifted).toBe("1 address lifted");
    expect(said?.split("retried: ")[1]).toBe(remedy);
  });
});
