import { USER_CONFIRMATION_REQUESTED } from "../../stream/events/user-confirmation-requested.ts";
import { USER_SIGNUP_REPEATED } from "../../stream/events/user-signup-repeated.ts";
import { EXAMPLE, MAIL, REMINDER, WEBHOOK } from "./groups.ts";
import type { RecordedMail } from "./recorded-mails.ts";

/** One event in one group, as the ledger has it at the end. */
export interface DeliveryRow {
  readonly group_name: string;
  readonly event_id: string;
  readonly type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly uncertain: number;
  /** Why each attempt was uncertain, from the timeline. */
  readonly why: string | null;
  /** Attempts without a known end, from the timeline: their consumers died, or were frozen, cut off, or had no answer in time. */
  readonly unanswered: number;
  /** Whether a replay queued it. */
  readonly replayed: boolean;
  readonly email: string | null;
  /** Whether the address of its user is confirmed, and whether it was well before the reminder was due. */
  readonly confirmed: boolean;
  readonly confirmed_in_time: boolean;
}

/** A dead letter in Redis. */
export interface Letter {
  readonly eventId: string;
  readonly reason: string;
}

export interface Duplicate {
  readonly group: string;
  readonly eventId: string;
  readonly copies: number;
  readonly uncertain: number;
  /** The fault during which the first copy was accepted. */
  readonly during: string;
  readonly why: string;
}

/** One group, its ledger compared with its effects. */
export interface GroupAudit {
  readonly group: string;
  /** Events whose effect took place. */
  readonly events: number;
  /** Events whose effect took place more than once. */
  readonly repeated: number;
  /** Accepted signups without the effect, and without a reason that explains it; other events that are done without it. */
  readonly lost: readonly string[];
  readonly uncertain: number;
  /** Deliveries without an effect, by reason. */
  readonly dead: ReadonlyMap<string, number>;
  readonly unexplainedDead: readonly string[];
  /** Mails that are dead because they were among the first when the whole account was refused. */
  readonly deadWithAccount: readonly string[];
  /** Dead letters in Redis, by reason. Fewer than the dead where Redis was flushed since. */
  readonly letters: ReadonlyMap<string, number>;
  readonly unexplainedLetters: readonly string[];
  /** Events that a replay queued again. */
  readonly replayed: readonly string[];
  /** Of mails: those with more than one copy. */
  readonly duplicates: readonly Duplicate[];
  /** Of webhooks: acknowledged more often than once, and once more for each attempt that had no answer. */
  readonly repeatedWebhooks: readonly string[];
  /** Of reminders: to users who had confirmed in time. */
  readonly needless: readonly string[];
}

export interface GroupAuditOptions {
  readonly group: string;
  /** The event ids of its effects, one for each time. */
  readonly effects: readonly string[];
  /** Of groups that send mail. */
  readonly mails: readonly RecordedMail[];
  /** Event ids of the signups that were accepted. */
  readonly accepted: readonly string[];
  readonly letters: readonly Letter[];
  /** Addresses that the mail server refused for good. */
  readonly refused: ReadonlySet<string>;
  readonly refusedWithAccount: ReadonlySet<string>;
}

/** Reasons of dead letters for entries that are no events: only the faults write such entries. */
const UNREADABLE = ["malformed", "unknown_version"];

/** Work of which nobody knows whether it took place is repeated so often. */
const UNCERTAIN_REPEATS = 3;

const tally = (items: Iterable<string>): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
};

const isDead = ({ state }: DeliveryRow): boolean => state !== "done";

/**
 * Mails that only ask to confirm an address are cancelled when that is done; requests may be of nobody, and are internal, as are
 * signups with a known address.
 */
const isRightlyCancelled = ({ group_name, type, reason, email, confirmed }: DeliveryRow): boolean => {
  const isRequest = type === USER_CONFIRMATION_REQUESTED;
  if (reason === "address_confirmed")
    return confirmed && (group_name === REMINDER || (group_name === MAIL && isRequest));
  if (reason === "no_such_user") return group_name === MAIL && isRequest && email === null;
  const isInternal = isRequest || type === USER_SIGNUP_REPEATED;
  return reason === "internal_event" && group_name === WEBHOOK && isInternal;
};

/** Whether a mail is dead, or was not tried, and its address is among those that were refused. */
const isDeadOf = (row: DeliveryRow, addresses: ReadonlySet<string>): boolean => {
  const isMail = row.group_name === MAIL || row.group_name === REMINDER;
  const mayBeRefused = isMail && (row.state === "dead" || row.state === "suppressed") && row.reason !== "poison";
  return mayBeRefused && row.email !== null && addresses.has(row.email);
};

/** Compares the ledger of a group with its effects, row by row: no more of it is kept in memory than what it finds. */
export const createGroupAudit = (options: GroupAuditOptions) => {
  const { group, letters, refused, refusedWithAccount } = options;
  const copies = tally(options.effects);
  const firstMails = new Map<string, RecordedMail>();
  const misaddressed = new Set<string>();
  for (const mail of options.mails) {
    const first = firstMails.get(mail.eventId);
    if (first === undefined) firstMails.set(mail.eventId, mail);
    else if (first.to !== mail.to) misaddressed.add(mail.eventId);
  }
  const unseen = new Set(options.accepted);
  const withLetters = new Set(letters.map(({ eventId }) => eventId));
  const rowsOfLetters = new Map<string, DeliveryRow>();
  const dead = new Map<string, number>();
  const found = {
    lost: [] as string[],
    unexplainedDead: [] as string[],
    deadWithAccount: [] as string[],
    replayed: [] as string[],
    duplicates: [] as Duplicate[],
    repeatedWebhooks: [] as string[],
    needless: [] as string[],
  };
  let uncertain = 0;

  const reached = ({ event_id, email }: DeliveryRow): boolean => {
    if (group !== MAIL && group !== REMINDER) return copies.has(event_id);
    return firstMails.get(event_id)?.to === email && !misaddressed.has(event_id);
  };
  /** It arrived, and each time its reply was lost: after so many the engine repeats it no more, and is right not to. */
  const isRepeatedEnough = (row: DeliveryRow): boolean =>
    row.state === "dead" && row.reason === "retries_exhausted" && row.uncertain > UNCERTAIN_REPEATS && reached(row);

  /** A refusal explains a dead mail. Nothing explains poison: no entry of a run kills its consumer. */
  const isExplained = (row: DeliveryRow): boolean =>
    row.state === "cancelled"
      ? isRightlyCancelled(row)
      : isDeadOf(row, refused) || isDeadOf(row, refusedWithAccount) || isRepeatedEnough(row);

  const isLetterExplained = ({ eventId, reason }: Letter): boolean => {
    const row = rowsOfLetters.get(eventId);
    if (row === undefined) return UNREADABLE.includes(reason);
    return row.state === "dead" && row.reason === reason && isExplained(row);
  };

  const readDead = (row: DeliveryRow): void => {
    const { event_id, reason, state } = row;
    const why = reason ?? state;
    dead.set(why, (dead.get(why) ?? 0) + 1);
    if (!isExplained(row)) {
      found.unexplainedDead.push(event_id);
      found.lost.push(event_id);
    } else if (!isDeadOf(row, refused) && isDeadOf(row, refusedWithAccount)) found.deadWithAccount.push(event_id);
  };

  return {
    read(row: DeliveryRow): void {
      const { event_id, unanswered } = row;
      const count = copies.get(event_id) ?? 0;
      unseen.delete(event_id);
      uncertain += row.uncertain;
      if (withLetters.has(event_id)) rowsOfLetters.set(event_id, row);
      if (isDead(row)) readDead(row);
      else if (!reached(row)) found.lost.push(event_id);
      if (row.replayed) found.replayed.push(event_id);
      const mail = firstMails.get(event_id);
      if (mail !== undefined && count > 1) {
        const { during } = mail;
        const why = row.why ?? "";
        found.duplicates.push({ group, eventId: event_id, copies: count, uncertain: row.uncertain, during, why });
      }
      if (group === WEBHOOK && count > 1 + unanswered) found.repeatedWebhooks.push(event_id);
      if (group === REMINDER && row.confirmed_in_time && count > 0) found.needless.push(event_id);
    },
    /** When all rows were read. */
    result: (): GroupAudit => ({
      ...found,
      group,
      events: copies.size,
      repeated: [...copies.values()].filter((count) => count > 1).length,
      lost: [...found.lost, ...unseen],
      uncertain,
      dead,
      letters: tally(letters.map(({ reason }) => reason)),
      unexplainedLetters: letters.filter((letter) => !isLetterExplained(letter)).map(({ eventId }) => eventId),
    }),
  };
};

/** What breaks a promise of a group, with the events that show it. */
export const breachesOfGroup = (audited: GroupAudit): (readonly [what: string, events: readonly string[]])[] => [
  [`signups lost by ${audited.group}`, audited.lost],
  [`deliveries of ${audited.group} dead without a reason that explains it`, audited.unexplainedDead],
  [`dead letters of ${audited.group} without a reason that explains it`, audited.unexplainedLetters],
  ...(audited.group === EXAMPLE
    ? []
    : [[`events repeated by a replay of ${audited.group}`, audited.replayed] as const]),
];
