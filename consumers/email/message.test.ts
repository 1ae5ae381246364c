import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import MailComposer from "nodemailer/lib/mail-composer";
import { parseMail } from "../../tests/mail-server.ts";
import { encodeWords, wireAddress } from "./headers.ts";
import { createMessageBuilder } from "./message.ts";
import { WELCOME } from "./templates/welcome.ts";

const build = createMessageBuilder({
  fromAddress: "welcome@toblug.example",
  fromName: "Toblug",
  brandName: "Toblug",
  publicUrl: "https://toblug.example/",
  kind: "welcome",
  words: WELCOME,
});
const token = `${"a-Z_9".repeat(14)}xy`;
const eventId = "01a2109c-053e-74f1-9982-4e9657eb2cfd";
const date = new Date("2026-11-25T00:00:00Z");
const aMessage = (userName: string, locale: "vi" | "en" = "vi") =>
  build({ eventId, locale, userName, to: "user@inbox.example", date, token });

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
/** White space folds in a header, and control characters are no part of a display name. */
const comparable = (name: string) =>
  name
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();

describe("the welcome mail", () => {
  test("greets in Vietnamese by default, as text and as HTML, and marks itself as automatic", async () => {
    const mail = await parseMail(aMessage("Ánh").raw.toString());
    expect(mail.subject).toBe("Chào mừng Ánh đến với Toblug!");
    expect(mail.text).toContain("Chào mừng Ánh đến với Toblug!");
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
    expect(mail.subject).toBe("Welcome to Toblug, Ana!");
    expect(mail.text).toContain("Thank you for signing up.");
  });

  test("carries the link whole, in both languages, as text and as HTML", async () => {
    for (const locale of ["vi", "en"] as const) {
      const mail = await parseMail(aMessage("Ánh", locale).raw.toString());
      const link = `https://toblug.example/confirm?token=${token}&lang=${locale}`;
      expect(mail.text).toContain(`${WELCOME[locale].action}: ${link}\n`);
      expect(mail.html).toContain(`href="${link.replace("&", "&amp;")}"`);
    }
  });

  test("shows markup in a name as it is, and escapes it in HTML", async () => {
    const mail = await parseMail(aMessage(`<b>Bố</b> "x"`).raw.toString());
    expect(mail.text).toContain(`Chào mừng <b>Bố</b> "x" đến với`);
    expect(mail.html).toContain("<bdi>&lt;b&gt;Bố&lt;/b&gt; &quot;x&quot;</bdi>");
    expect(mail.html).not.toContain("<b>");
  });

  test("for any name: one recipient, no injected header, the name is intact, as with nodemailer", async () => {
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const ours = await parseMail(aMessage(name).raw.toString());
        const composer = new MailComposer({ to: { name, address: "user@inbox.example" }, text: "x" });
        const theirs = await parseMail((await composer.compile().build()).toString());
        const [ourTo, theirTo] = [[ours.to].flat()[0]?.value, [theirs.to].flat()[0]?.value];
        expect(ourTo?.map((each) => each.address)).toEqual(["user@inbox.example"]);
        expect(ours.bcc).toBeUndefined();
        expect(theirTo?.map((each) => each.address)).toEqual(["user@inbox.example"]);
        // What looks like an encoded-word comes through with us alone.
        if (!name.includes("=?")) {
          expect(comparable(ourTo?.[0]?.name ?? "")).toBe(comparable(theirTo?.[0]?.name ?? ""));
        }
        expect(comparable(ourTo?.[0]?.name ?? "")).toBe(comparable(name));
        expect(comparable(ours.subject ?? "")).toBe(comparable(`Chào mừng ${name} đến với Toblug!`));
      }),
      { numRuns: 75 },
    );
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
