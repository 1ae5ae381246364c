import { counted } from "../../runtime/quantity.ts";
import type { MailKind } from "../actions/preview-mail.ts";
import { type CommandContext, command, UsageError } from "../command.ts";
import { ACT_FLAGS, type ActFlags, text } from "../flags.ts";
import { printable } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";

interface Flags extends ActFlags {
  readonly locale?: string;
  readonly name: string;
  readonly html?: boolean;
  readonly text?: boolean;
  readonly output?: string;
  readonly folder?: string;
  readonly sendTo?: string;
}

/** The value, if it is one of the known ones. */
const oneOf = async <Value extends string>(what: string, given: string, known: readonly Value[]): Promise<Value> => {
  const found = known.find((each) => each === given);
  if (found !== undefined) return found;
  const { NotFound } = await import("../actions/operator.ts");
  throw new NotFound(`there is no ${what} ${printable(given)}; there are: ${known.join(", ")}`);
};

/** The mails that are meant: of one kind or all, in one language or each. */
const samplesOf = async (kind: string | undefined, { locale, name: userName }: Flags) => {
  const { LOCALES, MAIL_KINDS } = await import("../actions/preview-mail.ts");
  const kinds: readonly MailKind[] = kind === undefined ? MAIL_KINDS : [await oneOf("mail", kind, MAIL_KINDS)];
  const locales = locale === undefined ? LOCALES : [await oneOf("language", locale, LOCALES)];
  return kinds.flatMap((each) => locales.map((language) => ({ kind: each, locale: language, userName })));
};

const check = (flags: Flags, kind: string | undefined): void => {
  const { html, text: plain, output, folder, sendTo, locale } = flags;
  if (html === true && plain === true) throw new UsageError("expected only one of --html and --text");
  if ([output, folder, sendTo].filter((each) => each !== undefined).length > 1) {
    throw new UsageError("expected only one of --output, --folder and --send-to");
  }
  const isOne = html === true || plain === true || output !== undefined || sendTo !== undefined;
  if (isOne && (kind === undefined || locale === undefined)) {
    throw new UsageError("name one mail: <mail> and --locale; --folder DIR writes all of them");
  }
};

/** Writes each mail as HTML and as text. */
const writeAll = async (context: CommandContext, kind: string | undefined, flags: Flags, folder: string) => {
  const [{ previewMail }, { join }, { mkdir, writeFile }] = await Promise.all([
    import("../actions/preview-mail.ts"),
    import("node:path"),
    import("node:fs/promises"),
  ]);
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const sample of await samplesOf(kind, flags)) {
    const rendered = previewMail(sample, context.settings);
    for (const [ending, content] of [["html", rendered.html] as const, ["txt", rendered.text] as const]) {
      const file = join(folder, `${sample.kind}.${sample.locale}.${ending}`);
      await writeFile(file, content);
      files.push(file);
    }
  }
  return { json: { files }, text: () => `${counted(files.length, "file")} written to ${folder}` };
};

export const preview = command<Flags, [kind: string | undefined]>({
  brief: "Show a mail in a language as it is sent, or send it to yourself",
  about: [
    "Without a mail: lists each mail in each language with its subject. Brand and addresses are those of the settings; links in it",
    "open nothing. --send-to sends one mail by MAIL_SERVER, to an address of your own; it is no delivery, and the audit log has no",
    "address. With --data, or where `bun run start` runs, it goes to the inbox of the local system.",
  ].join("\n"),
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        {
          parse: text,
          optional: true,
          placeholder: "mail",
          brief: "welcome, confirmation, reminder or notice",
          proposeCompletions: () => ["welcome", "confirmation", "reminder", "notice"],
        },
      ],
    },
    flags: {
      locale: {
        kind: "parsed",
        parse: text,
        optional: true,
        placeholder: "L",
        brief: "In this language alone: vi or en",
        proposeCompletions: () => ["vi", "en"],
      },
      name: { kind: "parsed", parse: text, default: "Ánh", placeholder: "NAME", brief: "To a user of this name" },
      html: { kind: "boolean", optional: true, withNegated: false, brief: "Its HTML" },
      text: { kind: "boolean", optional: true, withNegated: false, brief: "Its plain text (default)" },
      output: { kind: "parsed", parse: text, optional: true, placeholder: "FILE", brief: "Write it to a file" },
      folder: {
        kind: "parsed",
        parse: text,
        optional: true,
        placeholder: "DIR",
        brief: "Write all that are meant into a folder, as HTML and as text",
      },
      sendTo: { kind: "parsed", parse: text, optional: true, placeholder: "ADDRESS", brief: "Send it there" },
      ...ACT_FLAGS,
    },
  },
  examples: [
    ["preview", "each mail in each language, with its subject"],
    ["preview welcome --locale vi --html --output welcome.html", "one, for a browser"],
    ["preview --folder mails", "all of them"],
    ["preview reminder --locale en --send-to me@example.com", "in a real mail program"],
  ],
  needs: [],
  check,
  async run(context, flags, kind) {
    const { folder, sendTo, output } = flags;
    if (folder !== undefined) return writeAll(context, kind, flags, folder);
    const [{ previewMail, sendTestMail }, samples] = await Promise.all([
      import("../actions/preview-mail.ts"),
      samplesOf(kind, flags),
    ]);
    const mails = samples.map((sample) => ({ sample, ...previewMail(sample, context.settings) }));
    const [first, ...others] = mails;
    if (first !== undefined && sendTo !== undefined) {
      const { now, settings } = context;
      const mail = { ...first.sample, to: sendTo, newId: () => Bun.randomUUIDv7(), now };
      const reply = await sendTestMail(context, mail, settings);
      return { json: { sent: true, reply }, text: () => `sent; the mail server says: ${printable(reply)}` };
    }
    if (first === undefined || others.length > 0) {
      return {
        json: { mails: mails.map(({ sample, ...rendered }) => ({ ...sample, ...rendered })) },
        text: (style) =>
          table(
            style,
            [{ title: "mail" }, { title: "language" }, { title: "subject", wraps: true }],
            mails.map(({ sample, subject }) => [sample.kind, sample.locale, subject]),
          ),
      };
    }
    const { sample, ...rendered } = first;
    const content = flags.html === true ? rendered.html : rendered.text;
    if (output === undefined) return { json: { ...sample, ...rendered }, text: () => content.trimEnd() };
    await Bun.write(output, content);
    return { json: { file: output }, text: () => `written to ${output}` };
  },
});
