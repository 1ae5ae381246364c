import { expect, test } from "bun:test";
import { eventually } from "./eventually.ts";
import { parseMail } from "./mail-server.ts";
import { aSystem, type RunningProcess, type System, signUpAt } from "./processes.ts";

const linkOf = async ({ mailServer }: System, index: number): Promise<URL> => {
  const { text = "" } = await parseMail(mailServer.taken[index]?.raw ?? "");
  return new URL(/https?:\S+\/confirm\?\S+/.exec(text)?.[0] ?? "");
};

const pressAt = async (api: RunningProcess, link: URL): Promise<string> => {
  const body = new URLSearchParams({ token: link.searchParams.get("token") ?? "" });
  return (await fetch(new URL("/confirm?lang=en", api.url), { method: "POST", body })).text();
};

test.concurrent("the link of the welcome mail leads to a page whose button confirms the address", async () => {
  await using system = await aSystem();
  const api = await system.api();
  const consumer = await system.consumer();
  await signUpAt(api, { locale: "en" });
  await eventually(() => system.mailServer.taken.length === 1);
  const link = await linkOf(system, 0);
  const page = await fetch(new URL(`${link.pathname}${link.search}`, api.url));
  expect(await page.text()).toContain("Press the button");

  expect(await pressAt(api, link)).toContain("Your email address is confirmed.");
  expect(await pressAt(api, link)).toContain("This email address was confirmed before.");
  expect([...api.lines, ...consumer.lines].join("\n")).not.toContain(link.searchParams.get("token"));
});

test.concurrent("the other link of the mail leads to a page whose button ends all mail to the address", async () => {
  await using system = await aSystem();
  const api = await system.api();
  const consumer = await system.consumer({}, "welcome-email");
  const email = "ana@inbox.example";
  const { eventId } = await signUpAt(api, { locale: "en", email });
  await eventually(() => system.mailServer.taken.length === 1);
  const { text = "" } = await parseMail(system.mailServer.taken[0]?.raw ?? "");
  const link = new URL(/https?:\S+\/not-me\?\S+/.exec(text)?.[0] ?? "");
  const page = await fetch(new URL(`${link.pathname}${link.search}`, api.url));
  expect(await page.text()).toContain("You did not sign up?");
  const body = new URLSearchParams({ token: link.searchParams.get("token") ?? "" });
  const pressed = await fetch(new URL("/not-me?lang=en", api.url), { method: "POST", body });
  expect(await pressed.text()).toContain("Thank you for telling us");

  await fetch(new URL("/api/v1/user/resend", api.url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email }),
  });
  const { db } = system.database;
  await eventually(async () => {
    const rows = await db.selectFrom("deliveries").select("reason").where("state", "=", "suppressed").execute();
    return rows.length === 1 && rows[0]?.reason === "address_suppressed";
  });
  const suppressions = await db.selectFrom("suppressions").select(["reason", "event_id"]).execute();
  expect(suppressions).toEqual([{ reason: "not_me", event_id: eventId }]);
  expect(system.mailServer.taken).toHaveLength(1);
  expect([...api.lines, ...consumer.lines].join("\n")).not.toContain(link.searchParams.get("token"));
});

test.concurrent("who asks gets another link, and the first still works; nobody else gets a mail, and nobody who has confirmed", async () => {
  await using system = await aSystem();
  const api = await system.api();
  await system.consumer({}, "welcome-email");
  const ask = (email: string) =>
    fetch(new URL("/api/v1/user/resend", api.url), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email }),
    });
  await signUpAt(api, { locale: "en", email: "ana@inbox.example" });
  await eventually(() => system.mailServer.taken.length === 1);
  for (const email of ["nobody@inbox.example", "ana@inbox.example"]) expect((await ask(email)).status).toBe(202);
  await eventually(() => system.mailServer.taken.length === 2);
  const mail = await parseMail(system.mailServer.taken[1]?.raw ?? "");
  expect(mail.subject).toContain("confirm your email address");
  expect(mail.messageId).toContain(".confirmation@");
  expect(await pressAt(api, await linkOf(system, 0))).toContain("Your email address is confirmed.");
  expect(await pressAt(api, await linkOf(system, 1))).toContain("This email address was confirmed before.");

  await system.database.db.deleteFrom("confirmation_requests").execute();
  await ask("ana@inbox.example");
  const reasons = await eventually(async () => {
    const cancelled = await system.database.db
      .selectFrom("deliveries")
      .select("reason")
      .where("state", "=", "cancelled")
      .execute();
    return cancelled.length === 2 && cancelled.map(({ reason }) => reason);
  });
  expect(reasons.toSorted()).toEqual(["address_confirmed", "no_such_user"]);
  expect(system.mailServer.taken).toHaveLength(2);
});
