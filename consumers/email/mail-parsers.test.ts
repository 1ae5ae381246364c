import { describe, expect, test } from "bun:test";
import PostalMime from "postal-mime";
import { LOCALES } from "../../stream/events/user-signed-up.ts";
import { parseMail } from "../../tests/mail-server.ts";
import { MAILS, type MailKind } from "./mails.ts";
import { createMessageBuilder } from "./message.ts";

const TOKENS = { token: `${"a-Z_9".repeat(14)}xy`, notMeToken: `${"b-Y_8".repeat(14)}xy` };
const EVENT_ID = "01a2109c-053e-74f1-9982-4e9657eb2cfd";
const DATE = new Date("2026-11-25T00:00:00Z");
/** As long as an address may be. */
const TO = `${"a".repeat(64)}@${"b".repeat(61)}.${"c".repeat(61)}.${"d".repeat(57)}.example`;

/** Names that somebody might try, more than the API lets through. */
const NAMES = [
  "Nguyễn Thị Ánh Tuyết",
  "\u202Eevil\u202C \u2066x\u2069",
  "x".repeat(1_000),
  "👩‍👩‍👧‍👦🇻🇳".repeat(40),
  "a\r\nBcc: evil@evil.example\r\n\r\nbody",
  `"quoted" 'single' \\ back`,
  "=?utf-8?B?ZXZpbEBldmlsLmV4YW1wbGU=?=",
  "=?utf-8?q?=0D=0ABcc:_evil?=",
  "--=_alternative--",
  "=_alternative",
  ".\r\n.\r\nQUIT",
  "</p><script>alert(1)</script>",
  "&lt;&amp;=3D=\r\n=",
  "e\u0301".repeat(30),
  "\u0000\u0007\u001B[31m",
  "\uE000\uE003\uE006",
  "\uD800lone",
];
/** What the settings may call the service, and its sender. */
const BRANDS = ["Toblug", `Công ty "Tố, Blúg" <x@y.example>; =?utf-8?q?=0A?=`, "Ü".repeat(200)];

interface BuiltMail {
  readonly kind: MailKind;
  readonly locale: (typeof LOCALES)[number];
  readonly brandName: string;
  readonly raw: Buffer;
}

const KINDS: readonly MailKind[] = ["welcome", "confirmation", "reminder", "notice"];

const allMails = (): readonly BuiltMail[] =>
  KINDS.flatMap((kind) =>
    BRANDS.flatMap((brandName) => {
      const build = createMessageBuilder({
        ...MAILS[kind],
        ...{
          fromAddress: "welcome@toblug.example",
          fromName: brandName,
          brandName,
          publicUrl: "https://toblug.example/",
        },
      });
      return LOCALES.flatMap((locale) =>
        NAMES.slice(0, brandName === "Toblug" ? NAMES.length : 2).map((userName) => {
          const { raw } = build({ ...TOKENS, eventId: EVENT_ID, locale, userName, to: TO, date: DATE });
          return { kind, locale, brandName, raw };
        }),
      );
    }),
  );

const mails = allMails();

/** What a reader of mail understands of one. */
interface Understood {
  readonly headers: readonly string[];
  readonly subject: string;
  readonly from: string;
  readonly sender: string;
  readonly to: readonly string[];
  readonly messageId: string;
  readonly text: string;
  readonly html: string;
}

const ONCE = ["from", "to", "subject", "message-id", "date", "mime-version", "content-type", "content-language"];
const HEADERS = [...ONCE, "auto-submitted", "x-auto-response-suppress"].toSorted();

const byMailparser = async ({ raw }: BuiltMail): Promise<Understood> => {
  const mail = await parseMail(raw.toString("latin1"));
  const from = mail.from?.value[0];
  const to = [mail.to ?? []].flat().flatMap(({ value }) => value.flatMap(({ address }) => address ?? []));
  return {
    headers: mail.headerLines.map(({ key }) => key).toSorted(),
    subject: mail.subject ?? "",
    from: from?.name ?? "",
    sender: from?.address ?? "",
    to,
    messageId: mail.messageId ?? "",
    text: mail.text ?? "",
    html: typeof mail.html === "string" ? mail.html : "",
  };
};

const byPostalMime = async ({ raw }: BuiltMail): Promise<Understood> => {
  const mail = await PostalMime.parse(raw);
  return {
    headers: mail.headers.map(({ key }) => key).toSorted(),
    subject: mail.subject ?? "",
    from: mail.from?.name ?? "",
    sender: mail.from?.address ?? "",
    to: (mail.to ?? []).flatMap(({ address }) => address ?? []),
    messageId: mail.messageId ?? "",
    text: mail.text ?? "",
    html: mail.html ?? "",
  };
};

const PYTHON = `
import base64, json, sys
from email import message_from_bytes, policy
for line in sys.stdin:
    mail = message_from_bytes(base64.b64decode(line), policy=policy.default)
    parts = [p for p in mail.walk() if not p.is_multipart()]
    defects = [repr(d) for p in mail.walk() for d in p.defects]
    defects += [repr(d) for p in mail.walk() for _, v in p.items() for d in v.defects]
    sender = mail["from"].addresses[0]
    print(json.dumps({"defects": defects, "types": [p.get_content_type() for p in parts],
        "headers": sorted(k.lower() for k in mail.keys()), "subject": str(mail["subject"]), "from": sender.display_name,
        "sender": sender.addr_spec, "to": [a.addr_spec for a in mail["to"].addresses], "messageId": str(mail["message-id"]),
        "text": mail.get_body(("plain",)).get_content(), "html": mail.get_body(("html",)).get_content()}))
`;

interface ByPython extends Understood {
  readonly defects: readonly string[];
  readonly types: readonly string[];
}

const byPython = async (all: readonly BuiltMail[]): Promise<readonly ByPython[]> => {
  const lines = all.map(({ raw }) => raw.toString("base64")).join("\n");
  const child = Bun.spawn(["python3", "-c", PYTHON], { stdin: new Blob([lines]), stderr: "inherit" });
  const answers = await new Response(child.stdout).text();
  return answers
    .trim()
    .split("\n")
    .map((line): ByPython => JSON.parse(line));
};

/** Python 3.11 keeps the fold between two encoded-words of a name, which RFC 2047 (6.2) does not. */
const unspaced = <Mail extends { readonly from: string }>(mail: Mail): Mail => ({
  ...mail,
  from: mail.from.replaceAll(" ", ""),
});

/** Line ends, and blank lines at the end, are no part of a text. */
const text = (content: string): string => content.replaceAll("\r\n", "\n").trimEnd();

const contents = ({ headers, subject, from, sender, to, messageId, ...mail }: Understood) => ({
  ...{ headers: headers.toSorted(), subject, from, sender, to, messageId },
  ...{ text: text(mail.text), html: text(mail.html) },
});

const linksIn = (content: string): readonly string[] => [
  ...new Set([...content.matchAll(/https:\/\/[^\s"<>]+/g)].map(([link]) => link.replaceAll("&amp;", "&"))),
];

describe(`${mails.length} mails: each kind, in each language, with hostile names and names of the service`, () => {
  test("are ASCII, with no line longer than 998 characters, and no header line that ends or folds in another way", () => {
    for (const { raw } of mails) {
      const lines = raw.toString("latin1").split("\r\n");
      expect(lines.find((line) => line.length > 998 || /[^\x20-\x7E\t]/.test(line))).toBeUndefined();
      const head = lines.slice(0, lines.indexOf(""));
      expect(head.find((line) => !/^(?:[A-Za-z-]+: \S|[ \t]\S)/.test(line))).toBeUndefined();
    }
  });

  test("are understood alike by mailparser and postal-mime, and have each header once, and no other", async () => {
    for (const mail of mails) {
      const understood = contents(await byMailparser(mail));
      expect(contents(await byPostalMime(mail))).toEqual(understood);
      expect(understood).toMatchObject({
        headers: HEADERS,
        from: mail.brandName,
        sender: "welcome@toblug.example",
        to: [TO],
        messageId: `<${EVENT_ID}.${mail.kind}@toblug.example>`,
      });
      expect(understood.subject).toContain(mail.brandName);
    }
  });

  test("say the same as text and as HTML: the same links, which lead to us alone", async () => {
    for (const mail of mails) {
      const understood = await byMailparser(mail);
      const links = linksIn(understood.text);
      expect(linksIn(understood.html).toSorted()).toEqual(links.toSorted());
      expect(links.filter((link) => !link.startsWith("https://toblug.example"))).toEqual([]);
    }
  });

  test.skipIf(Bun.which("python3") === null)(
    "are understood alike by Python's parser, which finds no defect",
    async () => {
      const all = await byPython(mails);
      expect(all).toHaveLength(mails.length);
      for (const [index, { defects, types, ...python }] of all.entries()) {
        expect(defects).toEqual([]);
        expect(types).toEqual(["text/plain", "text/html"]);
        const mail = mails[index];
        if (mail !== undefined)
          expect(unspaced(contents(python))).toEqual(unspaced(contents(await byPostalMime(mail))));
      }
    },
  );
});
