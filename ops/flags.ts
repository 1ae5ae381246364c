import { isUuid } from "../database/uuid.ts";
import { momentOf } from "./actions/moment.ts";

/** Flags that several commands share, and parsers of their values. */

/** A whole number from 1 to `most`. */
export const wholeNumber =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
    throw new SyntaxError(`expected a whole number from 1 to ${most}`);
  };

/** Text as it is. */
export const text = (value: string): string => value;

/** An event id: a UUID. */
export const eventId = (value: string): string => {
  if (isUuid(value)) return value;
  throw new SyntaxError(`${value}: expected an event id`);
};

/** Names of the receivers of webhooks, for completion; none where `WEBHOOKS` cannot be read. */
export const proposeReceivers = async (): Promise<readonly string[]> =>
  (await import("../settings/webhooks.ts")).receiverNames.safeParse(process.env["WEBHOOKS"] ?? "").data ?? [];

/** Names of the groups, for completion. */
export const proposeGroups = async (): Promise<readonly string[]> => {
  const { GROUPS, webhookGroupName } = await import("../stream/groups.ts");
  return [...GROUPS.map((group) => group.name), ...(await proposeReceivers()).map(webhookGroupName)];
};

/** Names of the actions of the audit log, for completion. */
export const proposeActions = async (): Promise<readonly string[]> =>
  (await import("./actions/action-names.ts")).ACTION_NAMES;

/** What every flag without a value has in common: it is given or not, and never negated. */
export const SWITCH = { kind: "boolean", optional: true, withNegated: false } as const;

/** Flags of every command that asks the stores. */
export interface CommonFlags {
  readonly data?: string;
  readonly json?: boolean;
}

export const JSON_FLAG = {
  ...SWITCH,
  brief: "Print one JSON document on standard output",
} as const;

const folder = (value: string): string => {
  if (value !== "") return value;
  throw new SyntaxError("expected a folder");
};

const DATA_FLAG = {
  kind: "parsed",
  parse: folder,
  optional: true,
  placeholder: "DIR",
  brief: "Use the system that `bun run start --data DIR` runs on this machine",
} as const;

export const COMMON_FLAGS = { data: DATA_FLAG, json: JSON_FLAG } as const;

/** Flags of every command that changes something. */
export interface ActFlags extends CommonFlags {
  readonly as?: string;
}

/** A name in the audit log. */
const actor = (value: string): string => {
  if (/^[^\p{Cc}()]{1,64}$/u.test(value)) return value;
  throw new SyntaxError("expected a name of 1 to 64 characters, without parentheses");
};

export const AS_FLAG = {
  kind: "parsed",
  parse: actor,
  optional: true,
  placeholder: "NAME",
  brief: "Who you are, for the audit log (default: the user of this machine)",
} as const;

export const ACT_FLAGS = { as: AS_FLAG, ...COMMON_FLAGS } as const;

export const GROUP_FLAG = {
  kind: "parsed",
  parse: text,
  proposeCompletions: proposeGroups,
  optional: true,
  placeholder: "GROUP",
  brief: "Only this consumer group (default: all)",
} as const;

export const DRY_RUN_FLAG = {
  ...SWITCH,
  brief: "Count what would be done, and do nothing",
} as const;

export const SHOW_ADDRESS_FLAG = {
  ...SWITCH,
  brief: "Show names and addresses in full",
} as const;

/** Selects dead letters by their reason. */
export const reasonFlag = (brief: string) =>
  ({ kind: "parsed", parse: text, optional: true, placeholder: "R", brief }) as const;

/** A bound of a span of time. */
export const momentFlag = (brief: string) =>
  ({
    kind: "parsed",
    parse: (value: string) => momentOf(value, new Date()),
    optional: true,
    placeholder: "TIME",
    brief,
  }) as const;

const UNITS_OF_INTERVALS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 };

/** A length of time in ms, at least 100: `2s`, `500ms`; a number without a unit is in seconds. */
export const interval = (value: string): number => {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|)$/.exec(value) ?? [];
  const ms = Number(digits) * (UNITS_OF_INTERVALS[unit === "" ? "s" : unit] ?? 0);
  if (digits !== "" && ms >= 100 && ms <= 86_400_000) return ms;
  throw new SyntaxError("expected a length of time such as 2s or 500ms, at least 100ms");
};

/** Do not ask before a lot is changed. */
export const YES_FLAG = { ...SWITCH, brief: "Do not ask for confirmation" } as const;

/** How many rows a list shows. */
export const limitFlag = (noun: string, most: number) =>
  ({
    kind: "parsed",
    parse: wholeNumber(most),
    default: "50",
    placeholder: "N",
    brief: `Show at most N ${noun}`,
  }) as const;
