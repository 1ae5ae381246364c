import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listSuppressions } from "../database/users/suppressions.ts";
import { eventually } from "./eventually.ts";
import { parseMail } from "./mail-server.ts";
import { aSystem, eventAt, SERVICE_TOKEN, signUpAt } from "./processes.ts";

const PRIVATE_KEY = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const POSTFIX = readFileSync(join(import.meta.dir, "..", "api", "bounces", "samples", "postfix.eml"), "utf8");

test("a mail is signed, and its bounce to the sender of its envelope suppresses the address and is in the timeline", async () => {
  await using system = await aSystem();
  const MAIL_BOUNCE_ADDRESS = "bounces@toblug.example";
  const api = await system.api({ MAIL_BOUNCE_ADDRESS });
  await system.consumer(
    { MAIL_BOUNCE_ADDRESS, MAIL_DKIM_SELECTOR: "2026a", MAIL_DKIM_PRIVATE_KEY: PRIVATE_KEY },
    "welcome-email",
  );
  const { eventId } = await signUpAt(api, { email: "hoa@inbox.example" });
  const [mail] = await eventually(() => system.mailServer.taken.length === 1 && system.mailServer.taken);
  const { messageId, headers } = await parseMail(mail?.raw ?? "");
  expect(headers.get("dkim-signature")).toBeDefined();
  expect(mail?.from).toMatch(/^bounces\+[0-9a-v]{40}@toblug\.example$/);

  const bounce = POSTFIX.replaceAll("RETURN_PATH", mail?.from ?? "").replaceAll("MESSAGE_ID", messageId ?? "");
  const report = () =>
    fetch(new URL("/api/v1/bounces", api.url), {
      method: "POST",
      headers: { "Content-Type": "message/rfc822", Authorization: `Bearer ${SERVICE_TOKEN}` },
      body: bounce,
    });
  expect(await (await report()).json()).toMatchObject({ items: [{ result: "recorded", event_id: eventId }] });
  expect(await (await report()).json()).toMatchObject({ items: [{ result: "repeated" }] });
  const bounced = { bounced_at: expect.any(String), bounce: "bounced 5.1.1" };
  expect(await eventAt(api, eventId)).toMatchObject({ status: "sent", summary: "not_delivered", ...bounced });
  const shownToAll = await (await fetch(new URL(`/api/v1/events/${eventId}`, api.url))).text();
  expect(shownToAll).toContain("not_delivered");
  expect(shownToAll).not.toContain("bounce");
  expect(await listSuppressions(system.database.db, 10)).toMatchObject([
    { addressKey: "hoa@inbox.example", reason: "bounced 5.1.1" },
  ]);
});
