import type { SignupDetails } from "../actions/find.ts";
import { duration, relative } from "../actions/quantity.ts";
import { command } from "../command.ts";
import { JSON_FLAG, type JsonFlags, SHOW_ADDRESS_FLAG, text } from "../flags.ts";
import type { Style, Tone } from "../terminal/style.ts";
import { type Cell, pairs, table } from "../terminal/table.ts";

const TONES: Readonly<Record<string, Tone>> = {
  sent: "good",
  dead: "bad",
  held: "warning",
  uncertain: "warning",
  retrying: "warning",
};

const timelineTable = (style: Style, mail: NonNullable<SignupDetails["mail"]>): string => {
  const started = new Date(mail.timeline[0]?.at ?? mail.createdAt).getTime();
  return table(
    style,
    [
      { title: "after", align: "right" },
      { title: "at" },
      { title: "state" },
      { title: "attempt" },
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

const signupText = (style: Style, signup: SignupDetails, now: Date): string => {
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
    ["attempts", `${mail.attempts}, uncertain ${mail.uncertain}, system failures ${mail.systemFailures}`],
    ["signed up", moments(mail.createdAt)],
  );
  if (mail.nextTryAt !== null) rows.push(["next attempt", moments(mail.nextTryAt)]);
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

interface Flags extends JsonFlags {
  readonly showAddress?: boolean;
}

export const find = command<Flags, [wanted: string]>({
  brief: "Find a signup: its mail, its timeline, its dead letter",
  about: "Names and addresses are masked unless --show-address is given. An erased user is still found by either id.",
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        {
          parse: text,
          placeholder: "event id | user id | address | user name",
          brief: "Any one of them; case is ignored",
        },
      ],
    },
    flags: { showAddress: SHOW_ADDRESS_FLAG, json: JSON_FLAG },
  },
  examples: [
    ["find mai@example.org", "by address"],
    ["find 0190c3a1-6f0e-7000-8000-000000000001 --json", "by event id or user id"],
  ],
  needs: ["database"],
  async run(context, { showAddress }, wanted) {
    const actions = await import("../actions/find.ts");
    const signups = await actions.find(context, wanted, { showAddress });
    return {
      json: { signups },
      failed: signups.length === 0,
      text: (style) =>
        signups.length === 0
          ? "nothing was found"
          : signups.map((signup) => signupText(style, signup, context.now())).join("\n\n"),
    };
  },
});
