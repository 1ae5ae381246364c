import { expect, test } from "bun:test";
import { eventually } from "./eventually.ts";
import { parseMail } from "./mail-server.ts";
import { aSystem, signUpAt } from "./processes.ts";

test("the link of the welcome mail leads to a page whose button confirms the address", async () => {
  await using system = await aSystem();
  const api = await system.api();
  const consumer = await system.consumer();
  await signUpAt(api, { locale: "en" });
  await eventually(() => system.mailServer.taken.length === 1);
  const { text = "" } = await parseMail(system.mailServer.taken[0]?.raw ?? "");
  const link = new URL(/https?:\S+\/confirm\?\S+/.exec(text)?.[0] ?? "");
  const page = await fetch(new URL(`${link.pathname}${link.search}`, api.url));
  expect(await page.text()).toContain("Press the button");

  const token = link.searchParams.get("token") ?? "";
  const press = async () =>
    (
      await fetch(new URL("/confirm?lang=en", api.url), { method: "POST", body: new URLSearchParams({ token }) })
    ).text();
  expect(await press()).toContain("Your email address is confirmed.");
  expect(await press()).toContain("This email address was confirmed before.");
  expect([...api.lines, ...consumer.lines].join("\n")).not.toContain(token);
});
