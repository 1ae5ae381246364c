import { describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { dkimVerify } from "mailauth/lib/dkim/verify";
import type { DkimKey } from "../../runtime/dkim-keys.ts";
import { createDkimSigner } from "./dkim.ts";
import { createMessageBuilder } from "./message.ts";
import { REMINDER } from "./templates/reminder.ts";
import { WELCOME } from "./templates/welcome.ts";

const rsa: DkimKey = {
  domain: "toblug.example",
  selector: "2026a",
  privateKey: generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey,
};
const ed25519: DkimKey = {
  domain: "toblug.example",
  selector: "2026b",
  privateKey: generateKeyPairSync("ed25519").privateKey,
};

const publicPart = (key: KeyObject): string => {
  const der = createPublicKey(key).export({ format: "der", type: "spki" });
  return key.asymmetricKeyType === "ed25519"
    ? `v=DKIM1; k=ed25519; p=${der.subarray(-32).toString("base64")}`
    : `v=DKIM1; k=rsa; p=${der.toString("base64")}`;
};

const RECORDS = new Map(
  [rsa, ed25519].map(({ domain, selector, privateKey }) => [
    `${selector}._domainkey.${domain}`,
    publicPart(privateKey),
  ]),
);

/** What somebody else's library makes of a mail: a result for each signature. */
const verify = async (raw: Buffer): Promise<readonly string[]> => {
  const { results } = await dkimVerify(raw, {
    strict: true,
    resolver: async (name) => {
      const record = RECORDS.get(name);
      if (record === undefined) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
      return [[record]];
    },
  });
  return results.map(({ signingDomain, selector, status }) => `${signingDomain} ${selector} ${status.result}`);
};

const builderOf = (kind: Pick<Parameters<typeof createMessageBuilder>[0], "kind" | "words">) =>
  createMessageBuilder({
    fromAddress: "welcome@toblug.example",
    fromName: "Toblug – tin nhắn tự động, xin đừng trả lời",
    brandName: "Toblug",
    publicUrl: "https://toblug.example/",
    ...kind,
  });
const builders = [builderOf({ kind: "welcome", words: WELCOME }), builderOf({ kind: "reminder", words: REMINDER })];

const aMail = (
  userName = "Ánh",
  locale: "vi" | "en" = "vi",
  build = builders[0] ?? builderOf({ kind: "welcome", words: WELCOME }),
) =>
  build({
    eventId: "01a2109c-053e-74f1-9982-4e9657eb2cfd",
    locale,
    userName,
    to: `${"long.".repeat(12)}user@${"sub.".repeat(40)}inbox.example`,
    date: new Date("2026-11-25T00:00:00Z"),
    token: `${"a-Z_9".repeat(14)}xy`,
    notMeToken: `${"a-Z_9".repeat(14)}yx`,
  }).raw;

const signed = async (raw: Buffer, ...keys: readonly DkimKey[]): Promise<Buffer> =>
  (await createDkimSigner(keys)?.(raw)) ?? raw;

describe("a signed mail", () => {
  test.each([
    ["RSA", [rsa], ["toblug.example 2026a pass"]],
    ["Ed25519", [ed25519], ["toblug.example 2026b pass"]],
    ["both", [rsa, ed25519], ["toblug.example 2026a pass", "toblug.example 2026b pass"]],
  ] as const)("verifies: %s", async (_, keys, expected) => {
    expect(await verify(await signed(aMail(), ...keys))).toEqual([...expected]);
  });

  test("verifies whatever the name, in both languages, of each kind", async () => {
    const names = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 64 }),
      fc.constantFrom(
        "a\r\nDKIM-Signature: v=1",
        "x".repeat(64),
        "😀".repeat(60),
        ".\r\n.\r\n",
        "  two  spaces  ",
        "a=b=c\t",
      ),
    );
    const mails = fc.record({ name: names, locale: fc.constantFrom("vi", "en"), build: fc.constantFrom(...builders) });
    await fc.assert(
      fc.asyncProperty(mails, async ({ name, locale, build }) => {
        expect(await verify(await signed(aMail(name, locale, build), ed25519))).toEqual(["toblug.example 2026b pass"]);
      }),
      { numRuns: 60 },
    );
  });

  test("has lines of at most 76 characters, and only adds headers", async () => {
    const raw = aMail();
    const text = (await signed(raw, rsa, ed25519)).toString("latin1");
    expect(text.endsWith(raw.toString("latin1"))).toBe(true);
    const added = text.slice(0, -raw.length).split("\r\n");
    expect(added.length).toBeGreaterThan(10);
    expect(added.filter((line) => line.length > 76 || !/^[\x20-\x7e]*$/.test(line))).toEqual([]);
  });

  test("no longer verifies if the body, the subject or the sender is changed, or a sender is added", async () => {
    const text = (await signed(aMail(), rsa)).toString("latin1");
    for (const changed of [
      text.replace("https:", "http:"),
      text.replace("Subject: ", "Subject: Re: "),
      text.replace("<welcome@", "<other@"),
      `From: evil@evil.example\r\n${text}`,
      `Subject: another\r\n${text}`,
      `Reply-To: evil@evil.example\r\n${text}`,
    ]) {
      expect(changed).not.toBe(text);
      expect(await verify(Buffer.from(changed, "latin1"))).toEqual(["toblug.example 2026a fail"]);
    }
  });

  test("still verifies after a server has folded headers anew and cut off white space", async () => {
    const text = (await signed(aMail(), rsa)).toString("latin1");
    const changed = text.replace("MIME-Version: 1.0", "Mime-Version:\t 1.0 ").replace(/\r\n$/, "\r\n\r\n\r\n");
    expect(await verify(Buffer.from(changed, "latin1"))).toEqual(["toblug.example 2026a pass"]);
  });
});

test("without a key nothing is signed", () => {
  expect(createDkimSigner([])).toBeUndefined();
});
