import { expect, test } from "bun:test";
import { withTestDatabase } from "../../tests/database.ts";
import { findSuppressedMailboxes } from "../users/suppressions.ts";
import { fastmailMailboxes } from "./0022-fastmail-mailboxes.ts";

test("who has disowned an address below a domain of Fastmail is suppressed in all spellings of the mailbox", async () => {
  const database = await withTestDatabase();
  const { db } = database;
  const event_id = "01a2109c-053e-74f1-9982-4e9657eb2cfd";
  const rows = [
    ["shops@mai.ml1.net", "not_me"],
    ["news@mai.ml1.net", "not_me"],
    ["shops@lan.fastmail.co.uk", "not_me"],
    ["mai@ml1.net", "bounced 5.1.1"],
    ["shops@an.ml1.net", "bounced 5.1.1"],
    ["shops@mai.inbox.example", "not_me"],
  ] as const;
  await db
    .insertInto("suppressions")
    .values(rows.map(([email_key, reason]) => ({ email_key, reason, event_id })))
    .execute();
  // Twice: what is there already is no fault.
  for (let time = 0; time < 2; time += 1) await fastmailMailboxes.up(db);
  const asked = ["x@mai.ml1.net", "x@lan.fastmail.co.uk", "x@an.ml1.net", "x@inbox.example"];
  expect([...(await findSuppressedMailboxes(db, asked))]).toEqual(["x@mai.ml1.net", "x@lan.fastmail.co.uk"]);
  const [mai] = await db.selectFrom("suppressions").select("reason").where("email_key", "=", "mai@ml1.net").execute();
  expect(mai?.reason).toBe("not_me");
  await database.drop();
});
