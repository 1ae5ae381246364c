import { duration, relative } from "../../runtime/quantity.ts";
import { meaningOf } from "../../runtime/situation/reasons.ts";
import type { DeliveryDetails, SignupDetails } from "../actions/find.ts";
import { command } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags, SHOW_ADDRESS_FLAG, text } from "../flags.ts";
import type { Style, Tone } from "../terminal/style.ts";
import { type Cell, pairs, table } from "../terminal/table.ts";

const TONES: Readonly<Record<string, Tone>> = {
  done: "good",
  dead: "bad",
  held: "warning",
  uncertain: "warning",
  retrying: "warning",
};

const timelineTable = (style: Style, delivery: DeliveryDetails): string => {
  const started = new Date(delivery.timeline[0]?.at ?? delivery.createdAt).getTime();
  return table(
    style,
    [
      { title: "after", align: "right" },
      { title: "at" },
      { title: "state" },
      { title: "attempt" },
      { title: "reason", wraps: true },
      { title: "by", wraps: true },
    ],
    delivery.timeline.map((step): Cell[] => [
      `+${duration(new Date(step.at).getTime() - started)}`,
      new Date(step.at).toISOString(),
      { text: step.shown, tone: TONES[step.state] ?? "plain" },
      step.attempt === undefined ? "" : String(step.attempt),
      step.reason ?? "",
      step.by ?? "",
    ]),
  );
};

const deliveryText = (style: Style, delivery: DeliveryDetails, now: Date): string => {
  const moments = (at: Date) => `${relative(at, now)} (${at.toISOString()})`;
  const counters = `${delivery.attempts}, uncertain ${delivery.uncertain}, system failures ${delivery.systemFailures}`;
  const rows: (readonly [string, Cell])[] = [
    ["group", { text: delivery.group, tone: "bold" }],
    ["event", `${delivery.eventId} ${delivery.type}`],
    ["state", { text: delivery.shown, tone: TONES[delivery.state] ?? "plain" }],
    ["attempts", counters],
    ["made", moments(delivery.createdAt)],
  ];
  if (delivery.nextTryAt !== null) {
    rows.push([delivery.state === "held" ? "held until" : "next attempt", moments(delivery.nextTryAt)]);
  }
  if (delivery.leaseUntil !== null) rows.push(["lease until", moments(delivery.leaseUntil)]);
  if (delivery.reason !== null) {
    const meaning = meaningOf(delivery.reason);
    rows.push(["reason", meaning === undefined ? delivery.reason : `${delivery.reason}: ${meaning}`]);
  }
  if (delivery.reply !== null) rows.push(["reply", delivery.reply]);
  if (delivery.receipt !== null) rows.push(["receipt", delivery.receipt]);
  if (delivery.bouncedAt !== null) {
    rows.push(["bounced later", { text: `${delivery.bounce}, ${moments(delivery.bouncedAt)}`, tone: "bad" }]);
    if (delivery.bounceReply !== null) rows.push(["in words", delivery.bounceReply]);
  }
  rows.push(["trace", delivery.traceparent.split("-")[1] ?? ""]);
  if (delivery.inOutbox) rows.push(["outbox", { text: "not published yet", tone: "warning" }]);
  if (delivery.deadLetter !== null) rows.push(["dead letter", delivery.deadLetter]);
  return `${pairs(style, rows)}\n\n${timelineTable(style, delivery)}`;
};

const signupText = (style: Style, signup: SignupDetails, now: Date): string => {
  const erased: Cell = { text: "erased", tone: "warning" };
  const rows: (readonly [string, Cell])[] = [
    ["user", signup.userId],
    ["name", signup.userName ?? erased],
    ["address", signup.email ?? erased],
  ];
  if (signup.suppressed !== null) rows.push(["suppressed", { text: signup.suppressed, tone: "warning" }]);
  if (signup.disownedAt !== null) {
    const at = `${relative(signup.disownedAt, now)} (${signup.disownedAt.toISOString()})`;
    rows.push(["disowned", { text: `${at}: the owner of the address did not sign up`, tone: "warning" }]);
  }
  const deliveries = signup.deliveries.map((delivery) => deliveryText(style, delivery, now));
  return [pairs(style, rows), ...(deliveries.length === 0 ? ["no delivery in the ledger"] : deliveries)].join("\n\n");
};

interface Flags extends CommonFlags {
  readonly showAddress?: boolean;
}

export const find = command<Flags, [wanted: string]>({
  brief: "Find a signup: its deliveries in every group, their timelines, their dead letters",
  about: "Names and addresses are masked unless --show-address is given. An erased user is still found by either id.",
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        {
          parse: text,
          placeholder: "event id | user id | trace id | address | user name",
          brief: "Any one of them; case is ignored",
        },
      ],
    },
    flags: { showAddress: SHOW_ADDRESS_FLAG, ...COMMON_FLAGS },
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
