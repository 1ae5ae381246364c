import { count, relative } from "../../runtime/quantity.ts";
import { meaningsOf } from "../../runtime/situation/reasons.ts";
import type { DeliveryList } from "../actions/listed.ts";
import { COMMON_FLAGS, type CommonFlags, GROUP_FLAG, limitFlag, momentFlag, reasonFlag } from "../flags.ts";
import type { Style } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";

/** The flags of the commands that list deliveries. */
export interface DeliveryListFlags extends CommonFlags {
  readonly reason?: string;
  readonly limit: number;
  readonly since?: Date;
  readonly before?: Date;
  readonly cursor?: string;
  readonly group?: string;
}

const CURSOR = /^[^|]*\|[0-9a-f-]{36}\|[a-z0-9-]+$/;

const cursor = (value: string): string => {
  if (CURSOR.test(Buffer.from(value, "base64url").toString())) return value;
  throw new SyntaxError(`${value}: expected the cursor that the list before ended with`);
};

export const DELIVERY_LIST_FLAGS = {
  reason: reasonFlag("Only deliveries with this reason"),
  limit: limitFlag("deliveries", 10_000),
  since: momentFlag("Only what has changed since then: a time, or an age such as 2h"),
  before: momentFlag("Only what has changed before then"),
  cursor: { kind: "parsed", parse: cursor, optional: true, placeholder: "C", brief: "Go on where a list ended" },
  group: GROUP_FLAG,
  ...COMMON_FLAGS,
} as const;

/** A list for people. `next`: what a delivery waits for, under the title `nextTitle`. */
export const deliveryListText = (
  style: Style,
  { deliveries, byReason, next }: DeliveryList,
  options: { readonly now: Date; readonly nextTitle: string; readonly never: string },
): string => {
  const { now, nextTitle, never } = options;
  const rows = table(
    style,
    [
      { title: "event" },
      { title: "group" },
      { title: "reason", wraps: true },
      { title: "attempts", align: "right" },
      { title: "uncertain", align: "right" },
      { title: "since", wraps: true },
      { title: nextTitle, wraps: true },
      { title: "last words", wraps: true },
    ],
    deliveries.map((delivery): Cell[] => [
      delivery.eventId,
      delivery.group,
      { text: delivery.reason ?? "", tone: "warning" },
      count(delivery.attempts),
      count(delivery.uncertain),
      relative(delivery.updatedAt, now),
      delivery.nextTryAt === null ? never : relative(delivery.nextTryAt, now),
      delivery.reply ?? "",
    ]),
  );
  const reasons = Object.entries(byReason).sort(([, left], [, right]) => right - left);
  const sums = reasons.map(([name, many]) => `${count(many)} ${name === "" ? "without a reason" : name}`).join(", ");
  const more = next === null ? [] : [`go on with --cursor ${next}`];
  const meanings = meaningsOf(deliveries.map(({ reason }) => reason)).map(([name, meaning]) => `${name}: ${meaning}`);
  const below = [[sums, ...more].filter((part) => part !== "").join("; "), meanings.join("\n")];
  return [rows, ...below.filter((part) => part !== "")].join("\n\n");
};
