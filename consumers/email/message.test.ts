import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LIGHT } from "../../runtime/brand/palette.ts";
import { parseMail } from "../../tests/mail-server.ts";
import { encodeWords, wireAddress } from "./headers.ts";
import { createMessageBuilder } from "./message.ts";
import { CONFIRMATION } from "./templates/confirmation.ts";
import { NOTICE } from "./templates/notice.ts";
import { REMINDER } from "./templates/reminder.ts";
import { WELCOME } from "./templates/welcome.ts";

const OPTIONS = {
  fromAddress: "welcome@toblug.example",
  fromName: "Toblug",
  brandName: "Toblug",
  publicUrl: "https://toblug.example/",
};
const build = createMessageBuilder({ ...OPTIONS, kind: "welcome", words: WELCOME });
const token = `${"a-Z_9".repeat(14)}xy`;
const eventId = "01a2109c-053e-74f1-9982-4e9657eb2cfd";
const date = new Date("2026-11-25T00:00:00Z");
const notMeToken = `${"b-Y_8".repeat(14)}xy`;
const INPUT = { eventId, to: "user@inbox.example", date, token, notMeToken };
const aMessage = (userName: string, locale: "vi" | "en" = "vi") => build({ ...INPUT, locale, userName });
const headersOf = (raw: Buffer): string => raw.toString("latin1").split("\r\n\r\n")[0] ?? "";

/** Names as the API accepts them, hostile ones among them. */
const names = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 64 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 64 }),
  fc.constantFrom(
    `<b>Bố</b> "x"`,
    "a\r\nBcc: evil@evil.example",
    "a, evil@evil.example",
    "Eve <evil@evil.example>",
    "=?UTF-8?B?ZXZpbA==?=",
    "x".repeat(64),
    "Nguyễn Thị Ánh Tuyết".repeat(3),
    "😀".repeat(60),
    ".\r\n.\r\n",
    "a=b=c",
  ),
);
describe("the welcome mail", () => {
  test("greets in Vietnamese by default, as text and as HTML, and marks itself as automatic", async () => {
    const mail = await parseMail(aMessage("Ánh").raw.toString());
    expect(mail.subject).toBe("Chào mừng bạn đến với Toblug!");
    expect(mail.text).toContain("\n\nChào Ánh,\n\n");
    expect(mail.html).toContain('<p style="margin:0 0 12px;overflow-wrap:anywhere;">Chào <bdi>Ánh</bdi>,</p>');
    expect(mail.text).toContain("Cảm ơn bạn đã đăng ký tài khoản.");
    expect(mail.html).toContain("<h1");
    expect(mail.html).toContain("Cảm ơn bạn đã đăng ký tài khoản.");
    expect(mail.html).toContain('lang="vi"');
    expect(mail.messageId).toBe(`<${eventId}.welcome@toblug.example>`);
    expect(mail.headers.get("auto-submitted")).toBe("auto-generated");
    expect(mail.date).toEqual(date);
  });

  test("is in English for the locale `en`", async () => {
    const mail = await parseMail(aMessage("Ana", "en").raw.toString());
    expect(mail.subject).toBe("Welcome to Toblug!");
    expect(mail.text).toContain("Hello Ana,");
    expect(mail.text).toContain("Thank you for signing up.");
  });

  test("carries its links whole, in both languages, as text and as HTML", async () => {
    for (const locale of ["vi", "en"] as const) {
      const mail = await parseMail(aMessage("Ánh", locale).raw.toString());
      const link = `https://toblug.example/confirm?token=${token}&lang=${locale}`;
      expect(mail.text).toContain(`${WELCOME[locale].action}: ${link}\n`);
      expect(mail.html).toContain(`href="${link.replace("&", "&amp;")}"`);
      const notMe = `https://toblug.example/not-me?token=${notMeToken}&lang=${locale}`;
      expect(mail.text).toContain(`${WELCOME[locale].notMe}: ${notMe}\n`);
      expect(mail.html).toContain(`href="${notMe.replace("&", "&amp;")}"`);
    }
  });

  test("shows markup in a name as it is, and escapes it in HTML", async () => {
    const mail = await parseMail(aMessage(`<b>Bố</b> "x"`).raw.toString());
    expect(mail.text).toContain(`Chào <b>Bố</b> "x",`);
    expect(mail.html).toContain("<bdi>&lt;b&gt;Bố&lt;/b&gt; &quot;x&quot;</bdi>");
    expect(mail.html).not.toContain("<b>");
  });

  test.each(["vi", "en"] as const)("greets neutrally where a name must not be shown, in %s", async (locale) => {
    const mail = await parseMail(aMessage("You won 1000$ https://evil.example/win", locale).raw.toString());
    const neutral = locale === "vi" ? "Chào bạn," : "Hello,";
    expect(mail.text).toContain(`\n\n${neutral}\n\n`);
    expect(mail.html).toContain(`>${neutral}</p>`);
    expect(`${mail.subject} ${mail.text} ${mail.html}`).not.toMatch(/evil|1000/);
  });

  test("for any name: its headers have nothing of it, nor has what an inbox shows beside the subject", async () => {
    const seen = async (raw: Buffer) => {
      const { text = "", html } = await parseMail(raw.toString());
      const beforeGreeting = (html || "").split("<p")[0];
      return { headers: headersOf(raw), preview: text.slice(0, 100), beforeGreeting };
    };
    const usual = await seen(aMessage("Ana").raw);
    expect(usual.beforeGreeting).toContain(WELCOME.vi.preheader);
    await fc.assert(
      fc.asyncProperty(names, async (name) => expect(await seen(aMessage(name).raw)).toEqual(usual)),
      { numRuns: 75 },
    );
  });

  test("is laid out so that Outlook, Gmail and Apple Mail show it, and is small, in each kind and language", async () => {
    for (const [kind, words] of Object.entries({
      welcome: WELCOME,
      confirmation: CONFIRMATION,
      reminder: REMINDER,
      notice: NOTICE,
    })) {
      const { raw } = createMessageBuilder({ ...OPTIONS, kind, words })({ ...INPUT, userName: "Ánh", locale: "vi" });
      const { html = "" } = await parseMail(raw.toString());
      if (html === false) throw new Error("there is no HTML");
      expect(Buffer.byteLength(html)).toBeLessThan(6_000);
      // Read aloud as text, not as cells; nothing is fetched; colours also where styles are dropped.
      expect(html.match(/<table(?![^>]*role="presentation")[^>]*>/g)).toBeNull();
      expect(html).not.toMatch(/<img|url\(|src=/);
      expect(html).toContain(`bgcolor="${LIGHT.accent}"`);
      expect(html).toContain("@media(prefers-color-scheme:dark)");
      expect(html).toContain("<!--[if mso]>");
    }
  });

  test("has a preview of its own in each kind and language, longer than an inbox shows with the subject", () => {
    for (const words of [WELCOME, CONFIRMATION, REMINDER]) {
      for (const { subject, preheader } of Object.values(words)) {
        expect(`${subject("Toblug")} ${preheader}`.length).toBeGreaterThan(90);
      }
    }
  });

  test("no line is longer than 76 characters, all end in CRLF, all is ASCII", () => {
    fc.assert(
      fc.property(names, (name) => {
        const raw = aMessage(name).raw.toString("latin1");
        expect(raw.split("\r\n").filter((line) => !/^[\x20-\x7e\t]{0,76}$/.test(line))).toEqual([]);
      }),
    );
  });
});

describe("an address on the wire", () => {
  test.each([
    ["user@inbox.example", "user@inbox.example"],
    ["User+tag@INBOX.example", "User+tag@inbox.example"],
    ["user@bücher.example", "user@xn--bcher-kva.example"],
  ])("%s goes out as %s", (email, address) => {
    expect(wireAddress(email)).toMatchObject({ kind: "address", address });
  });

  test.each([
    ["a@b.example\r\nBcc: evil@evil.example", "invalid_address"],
    ["a@b.example, evil@evil.example", "invalid_address"],
    ["Eve <evil@evil.example>", "invalid_address"],
    ["a b@c.example", "invalid_address"],
    [`"a b"@c.example`, "invalid_address"],
    ["nobody", "invalid_address"],
    // What URLs take for a host must not lead elsewhere, nor bring a comma in by the back door.
    ["a@c.example/evil", "invalid_address"],
    ["a@c.example?x", "invalid_address"],
    ["a@c.example#x", "invalid_address"],
    ["a@%65vil.example", "invalid_address"],
    ["a@c.example，evil", "invalid_address"],
    ["a@bücher.example/evil", "invalid_address"],
    ["a@c.exa\u200bmple", "invalid_address"],
    ["a@127.0.0.1", "invalid_address"],
    ["a@１２７.1", "invalid_address"],
    ["a@c..example", "invalid_address"],
    ["a@c.example.", "invalid_address"],
    ["a@-c.example", "invalid_address"],
    [`a@${"x".repeat(64)}.example`, "invalid_address"],
    [`a@${`${"ü".repeat(50)}.`.repeat(5)}example`, "invalid_address"],
    ["@c.example", "invalid_address"],
    [`${"x".repeat(65)}@c.example`, "invalid_address"],
    ["đặng@c.example", "address_needs_smtputf8"],
  ])("%j is refused", (email, reason) => {
    expect(wireAddress(email)).toEqual({ kind: "unusable", reason: reason as "invalid_address" });
  });
});

test("plain words stay as they are in a header", () => {
  expect(encodeWords("Toblug News 2")).toBe("Toblug News 2");
});
