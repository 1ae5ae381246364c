import { Redis } from "ioredis";
import postgres from "postgres";
import { USER_CONFIRMATION_REQUESTED } from "../../stream/events/user-confirmation-requested.ts";
import { USER_SIGNED_UP } from "../../stream/events/user-signed-up.ts";
import { type Effects, isOf } from "./effects.ts";
import { EXAMPLE, GROUPS_OF_SIGNUPS, MAIL, REMINDER, WEBHOOK } from "./groups.ts";
import type { Load } from "./load.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import { type ChaosSystem, REMINDER_DELAY_MS } from "./system.ts";
import { countUnfinished, leftovers } from "./unfinished.ts";

/** One event in one group, as the ledger has it at the end. */
interface DeliveryRow {
  readonly group_name: string;
  readonly event_id: string;
  readonly type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly uncertain: number;
  /** Why each attempt was uncertain, from the timeline. */
  readonly why: string | null;
  /** Leases that ran out, from the timeline: consumers that died with it, or were frozen or cut off. */
  readonly deaths: number;
  /** Whether a replay queued it. */
  readonly replayed: boolean;
  readonly email: string | null;
  /** Whether the address of its user is confirmed, and whether it was well before the reminder was due. */
  readonly confirmed: boolean;
  readonly confirmed_in_time: boolean;
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
  /** Dead letters in Redis, by reason. Fewer than the dead where Redis was flushed since. */
  readonly letters: ReadonlyMap<string, number>;
  readonly unexplainedLetters: readonly string[];
  /** Events that a replay queued again. */
  readonly replayed: readonly string[];
}

export interface Audit {
  readonly accepted: number;
  readonly byGroup: readonly GroupAudit[];
  readonly duplicates: readonly Duplicate[];
  /** Duplicates of mails beyond the `uncertain` counter. */
  readonly unexplainedDuplicates: readonly string[];
  /** Events that the receiver acknowledged more often than once, and once more for each consumer that died with it. */
  readonly unexplainedWebhooks: readonly string[];
  /** Reminders to users who had confirmed in time. */
  readonly needlessReminders: readonly string[];
  /** Users without exactly one event that has one delivery for each group. */
  readonly incomplete: readonly string[];
  /** What was still in progress, in words. */
  readonly leftovers: readonly string[];
}

/** The engine dead-letters the delivery after this many deaths. */
const POISON_AFTER = 3;
/** A look-up of the reminder may be this much older than its mail. */
const LOOKED_UP_BEFORE_MS = 3_000;
/** Reasons of dead letters for entries that are no events: only the faults write such entries. */
const UNREADABLE = ["malformed", "unknown_version"];

const tally = (items: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
};

const isDead = ({ state }: DeliveryRow): boolean => state !== "done";

interface Letter {
  readonly eventId: string;
  readonly reason: string;
}

const lettersOf = async (redis: Redis, group: string): Promise<readonly Letter[]> => {
  const fieldOf = (fields: readonly string[], name: string) => fields[fields.indexOf(name) + 1] ?? "";
  const entries = await redis.xrange(`{chaos}:dead:${group}`, "-", "+");
  return entries.map(([, fields]) => ({ eventId: fieldOf(fields, "event_id"), reason: fieldOf(fields, "reason") }));
};

/** Mails that only ask to confirm an address are cancelled when that is done; requests may be of nobody, and are internal. */
const isRightlyCancelled = ({ group_name, type, reason, email, confirmed }: DeliveryRow): boolean => {
  const isRequest = type === USER_CONFIRMATION_REQUESTED;
  if (reason === "address_confirmed")
    return confirmed && (group_name === REMINDER || (group_name === MAIL && isRequest));
  if (reason === "no_such_user") return group_name === MAIL && isRequest && email === null;
  return reason === "internal_event" && group_name === WEBHOOK && isRequest;
};

/** A final refusal explains a dead mail, three deaths explain poison. */
const isExplained = (row: DeliveryRow, refused: ReadonlySet<string>): boolean => {
  if (row.state === "cancelled") return isRightlyCancelled(row);
  if (row.state === "dead" && row.reason === "poison") return row.deaths >= POISON_AFTER;
  const isMail = row.group_name === MAIL || row.group_name === REMINDER;
  const mayBeRefused = isMail && (row.state === "dead" || row.state === "suppressed");
  return mayBeRefused && row.email !== null && refused.has(row.email);
};

const auditGroup = (
  { group, copies, reached }: { group: string; copies: Map<string, number>; reached: (signup: Signup) => boolean },
  rows: readonly DeliveryRow[],
  letters: readonly Letter[],
  load: Load,
  refused: ReadonlySet<string>,
): GroupAudit => {
  const byEvent = new Map(rows.map((row) => [row.event_id, row]));
  const explained = (row: DeliveryRow) => isExplained(row, refused);
  const isLost = (signup: Signup): boolean => {
    const row = byEvent.get(signup.eventId);
    if (row === undefined) return true;
    return isDead(row) ? !explained(row) : !reached(signup);
  };
  const isLetterExplained = ({ eventId, reason }: Letter): boolean => {
    const row = byEvent.get(eventId);
    if (row === undefined) return UNREADABLE.includes(reason);
    return row.state === "dead" && row.reason === reason && explained(row);
  };
  const dead = rows.filter(isDead);
  return {
    group,
    events: copies.size,
    repeated: [...copies.values()].filter((count) => count > 1).length,
    lost: [
      ...new Set([
        ...load.accepted.filter(isLost).map(({ eventId }) => eventId),
        ...rows.filter((row) => !isDead(row) && !copies.has(row.event_id)).map(({ event_id }) => event_id),
      ]),
    ],
    uncertain: rows.reduce((sum, { uncertain }) => sum + uncertain, 0),
    dead: tally(dead.map(({ reason, state }) => reason ?? state)),
    unexplainedDead: dead.filter((row) => !explained(row)).map(({ event_id }) => event_id),
    letters: tally(letters.map(({ reason }) => reason)),
    unexplainedLetters: letters.filter((letter) => !isLetterExplained(letter)).map(({ eventId }) => eventId),
    replayed: rows.filter(({ replayed }) => replayed).map(({ event_id }) => event_id),
  };
};

type Signup = Load["accepted"][number];

/** Compares what was promised over HTTP with the effects of all groups of a signup, by way of the ledger. */
export const audit = async (
  system: ChaosSystem,
  mailServer: ChaoticMailServer,
  effects: readonly Effects[],
  load: Load,
): Promise<Audit> => {
  const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
  const redis = new Redis(system.redisUrl);
  const rows = await sql<DeliveryRow[]>`
    select group_name, event_id, type, state, reason, uncertain, email,
      email_verified_at is not null as confirmed,
      coalesce(email_verified_at < events.created_at + ${REMINDER_DELAY_MS - LOOKED_UP_BEFORE_MS} * interval '1 ms', false)
        as confirmed_in_time,
      (select string_agg(distinct step ->> 'reason', ', ') from jsonb_array_elements(timeline) as step
        where step ->> 'state' = 'uncertain') as why,
      (select count(*)::int from jsonb_array_elements(timeline) as step
        where step ->> 'reason' = 'lease_ran_out') as deaths,
      timeline @> '[{"by": "ops", "reason": "replayed"}]' as replayed
    from deliveries join events using (event_id) left join users on users.id::text = events.subject`;
  const incomplete = await sql<{ email: string }[]>`
    select email from users
      left join events on events.subject = users.id::text and events.type = ${USER_SIGNED_UP}
      left join deliveries using (event_id)
    group by users.id having count(distinct event_id) <> 1 or
      array_agg(group_name order by group_name) is distinct from ${GROUPS_OF_SIGNUPS}::text[]`;
  const letters = new Map<string, readonly Letter[]>();
  for (const { group } of effects) letters.set(group, await lettersOf(redis, group));
  await sql.end();
  redis.disconnect();

  const rowsOf = (group: string) => rows.filter(({ group_name }) => group_name === group);
  const byGroup = effects.map(({ group, read }) => {
    const copies = tally(read());
    const mails = mailServer.accepted.filter((mail) => isOf(group, mail));
    const rightlyAddressed = new Set(mails.map(({ eventId, to }) => `${eventId} ${to}`));
    const isMail = group === MAIL || group === REMINDER;
    const reached = ({ eventId, email }: Signup) =>
      isMail ? rightlyAddressed.has(`${eventId} ${email}`) : copies.has(eventId);
    return auditGroup({ group, copies, reached }, rowsOf(group), letters.get(group) ?? [], load, mailServer.refused);
  });
  const duplicates = [MAIL, REMINDER].flatMap((group) => duplicatesOf(group, rowsOf(group), mailServer));
  const webhooks = tally(effects.find(({ group }) => group === WEBHOOK)?.read() ?? []);
  const reminded = new Set(effects.find(({ group }) => group === REMINDER)?.read());
  return {
    accepted: load.accepted.length,
    byGroup,
    duplicates,
    unexplainedDuplicates: duplicates
      .filter(({ copies, uncertain }) => copies > 1 + uncertain)
      .map(({ group, eventId }) => `${eventId} of ${group}`),
    unexplainedWebhooks: rowsOf(WEBHOOK)
      .filter(({ event_id, deaths }) => (webhooks.get(event_id) ?? 0) > 1 + deaths)
      .map(({ event_id }) => event_id),
    needlessReminders: rowsOf(REMINDER)
      .filter(({ event_id, confirmed_in_time }) => confirmed_in_time && reminded.has(event_id))
      .map(({ event_id }) => event_id),
    incomplete: incomplete.map(({ email }) => email),
    leftovers: leftovers(await countUnfinished(system)),
  };
};

const duplicatesOf = (group: string, rows: readonly DeliveryRow[], mailServer: ChaoticMailServer): Duplicate[] => {
  const byEvent = new Map(rows.map((row) => [row.event_id, row]));
  const mails = Map.groupBy(
    mailServer.accepted.filter((mail) => isOf(group, mail)),
    ({ eventId }) => eventId,
  );
  return [...mails].flatMap(([eventId, [first, ...more]]) =>
    first === undefined || more.length === 0
      ? []
      : {
          group,
          eventId,
          copies: 1 + more.length,
          uncertain: byEvent.get(eventId)?.uncertain ?? 0,
          why: byEvent.get(eventId)?.why ?? "",
          during: first.during,
        },
  );
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
