import { type FoundSignup, findSignups } from "../../database/find-signup.ts";
import { untilReady } from "../../stream/connection.ts";
import { indexedLetter } from "../../stream/dead-letters.ts";
import { GROUPS } from "../../stream/groups.ts";
import type { Command, CommandContext } from "../command.ts";
import { masked, maskedAddress } from "../terminal/mask.ts";
import { duration, relative } from "../terminal/quantity.ts";
import type { Style, Tone } from "../terminal/style.ts";
import { type Cell, pairs, table } from "../terminal/table.ts";

const LIMIT = 20;
const REDIS_WITHIN_MS = 1_000;

interface Shown extends FoundSignup {
  /** Groups in whose dead letters the event is, with the letter's id. */
  readonly deadLetters: Readonly<Record<string, string>>;
}

const TONES: Readonly<Record<string, Tone>> = {
  sent: "good",
  dead: "bad",
  held: "warning",
  uncertain: "warning",
  retrying: "warning",
};

/** Redis adds where the letter lies. Where it is away, the ledger alone answers. */
const lettersOf = async (
  { redis, keys }: CommandContext,
  eventId: string,
): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  if (!(await untilReady(redis, REDIS_WITHIN_MS))) return found;
  for (const { name } of GROUPS) {
    const letterId = await indexedLetter(redis, keys, name, eventId).catch(() => undefined);
    if (letterId !== undefined) found[name] = letterId;
  }
  return found;
};

const withoutPersonal = (signup: FoundSignup): FoundSignup => ({
  ...signup,
  userName: signup.userName === null ? null : masked(signup.userName),
  email: signup.email === null ? null : maskedAddress(signup.email),
});

const timelineTable = (style: Style, mail: NonNullable<Shown["mail"]>): string => {
  const started = new Date(mail.timeline[0]?.at ?? mail.createdAt).getTime();
  return table(
    style,
    [
      { title: "after", align: "right" },
      { title: "at" },
      { title: "state" },
      { title: "try" },
      { title: "reason" },
      { title: "by" },
    ],
    mail.timeline.map((step): Cell[] => [
      `+${duration(new Date(step.at).getTime() - started)}`,
      new Date(step.at).toISOString(),
      { text: step.state, tone: TONES[step.state] ?? "plain" },
      step.attempt === undefined ? "" : String(step.attempt),
      step.reason ?? "",
      step.by ?? "",
    ]),
  );
};

const signupText = (style: Style, signup: Shown, now: Date): string => {
  const { mail } = signup;
  const erased: Cell = { text: "erased", tone: "warning" };
  const rows: (readonly [string, Cell])[] = [
    ["user", signup.userId],
    ["name", signup.userName ?? erased],
    ["address", signup.email ?? erased],
  ];
  if (signup.suppressed !== null) rows.push(["suppressed", { text: signup.suppressed, tone: "warning" }]);
  if (mail === null) return `${pairs(style, rows)}\nno mail in the ledger`;
  const moments = (at: Date) => `${relative(at, now)} (${at.toISOString()})`;
  rows.push(
    ["event", { text: mail.eventId, tone: "bold" }],
    ["state", { text: mail.state, tone: TONES[mail.state] ?? "plain" }],
    ["attempts", `${mail.attempts}, uncertain ${mail.uncertain}, failures of the system ${mail.systemFailures}`],
    ["signed up", moments(mail.createdAt)],
  );
  if (mail.nextTryAt !== null) rows.push(["next try", moments(mail.nextTryAt)]);
  if (mail.leaseUntil !== null) rows.push(["lease until", moments(mail.leaseUntil)]);
  if (mail.reason !== null) rows.push(["reason", mail.reason]);
  if (mail.serverReply !== null) rows.push(["server reply", mail.serverReply]);
  if (mail.messageId !== null) rows.push(["message id", mail.messageId]);
  rows.push(["trace", mail.traceparent.split("-")[1] ?? ""]);
  if (mail.inOutbox) rows.push(["outbox", { text: "not published yet", tone: "warning" }]);
  for (const [group, letterId] of Object.entries(signup.deadLetters))
    rows.push(["dead letter", `${group} ${letterId}`]);
  return `${pairs(style, rows)}\n\n${timelineTable(style, mail)}`;
};

export const find: Command = {
  name: "find",
  summary: "One signup: its mail's state, what the server said, and its timeline",
  usage: "<event id | user id | address | user name>",
  about: "Addresses and names are masked unless --show-address is given.",
  options: { "show-address": { type: "boolean", about: "print the address and the name in full" } },
  words: [1, 1],
  examples: [
    ["find mai@example.org", "by address"],
    ["find 0190c3a1-6f0e-7000-8000-000000000001", "by event id or user id"],
  ],
  needs: ["database"],
  async run(context) {
    const { db, args, now } = context;
    const found = await findSignups(db, args.positionals[0] ?? "", LIMIT);
    const signups = await Promise.all(
      found.map(
        async (signup): Promise<Shown> => ({
          ...(args.has("show-address") ? signup : withoutPersonal(signup)),
          deadLetters: signup.mail === null ? {} : await lettersOf(context, signup.mail.eventId),
        }),
      ),
    );
    return {
      json: { signups },
      failed: signups.length === 0,
      text: (style) =>
        signups.length === 0
          ? "nothing was found"
          : signups.map((signup) => signupText(style, signup, now())).join("\n\n"),
    };
  },
};
