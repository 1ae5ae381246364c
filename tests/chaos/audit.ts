import { Redis } from "ioredis";
import postgres from "postgres";
import type { Effects } from "./effects.ts";
import { CHAOS_GROUPS, EXAMPLE, GROUPS_OF_SIGNUPS, MAIL } from "./groups.ts";
import type { Load } from "./load.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import type { ChaosSystem } from "./system.ts";
import { countUnfinished, leftovers } from "./unfinished.ts";

/** One event in one group, as the ledger has it at the end. */
interface DeliveryRow {
  readonly group_name: string;
  readonly event_id: string;
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
}

export interface Duplicate {
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
  /** Accepted signups without the effect, and without a reason that explains it. */
  readonly lost: readonly string[];
  readonly uncertain: number;
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
  /** Duplicates beyond the `uncertain` counter. */
  readonly unexplainedDuplicates: readonly string[];
  /** Users without exactly one event that has one delivery for each group. */
  readonly incomplete: readonly string[];
  /** What was still in progress, in words. */
  readonly leftovers: readonly string[];
}

/** The engine dead-letters the delivery after this many deaths. */
const POISON_AFTER = 3;
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

/** A final refusal explains a dead mail, three deaths explain poison. Nothing else ends a delivery without its effect. */
const isExplained = (row: DeliveryRow, refused: ReadonlySet<string>): boolean => {
  if (row.state === "dead" && row.reason === "poison") return row.deaths >= POISON_AFTER;
  const mayBeRefused = row.group_name === MAIL && (row.state === "dead" || row.state === "suppressed");
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
    lost: load.accepted.filter(isLost).map(({ eventId }) => eventId),
    uncertain: rows.reduce((sum, { uncertain }) => sum + uncertain, 0),
    dead: tally(dead.map(({ reason, state }) => reason ?? state)),
    unexplainedDead: dead.filter((row) => !explained(row)).map(({ event_id }) => event_id),
    letters: tally(letters.map(({ reason }) => reason)),
    unexplainedLetters: letters.filter((letter) => !isLetterExplained(letter)).map(({ eventId }) => eventId),
    replayed: rows.filter(({ replayed }) => replayed).map(({ event_id }) => event_id),
  };
};

type Signup = Load["accepted"][number];

/** Compares what was promised over HTTP with the effects of both groups, by way of the ledger. */
export const audit = async (
  system: ChaosSystem,
  mailServer: ChaoticMailServer,
  effects: readonly Effects[],
  load: Load,
): Promise<Audit> => {
  const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
  const redis = new Redis(system.redisUrl);
  const rows = await sql<DeliveryRow[]>`
    select group_name, event_id, state, reason, uncertain, email,
      (select string_agg(distinct step ->> 'reason', ', ') from jsonb_array_elements(timeline) as step
        where step ->> 'state' = 'uncertain') as why,
      (select count(*)::int from jsonb_array_elements(timeline) as step
        where step ->> 'reason' = 'lease_ran_out') as deaths,
      timeline @> '[{"by": "ops", "reason": "replayed"}]' as replayed
    from deliveries join events using (event_id) left join users on users.id::text = events.subject`;
  const incomplete = await sql<{ email: string }[]>`
    select email from users left join events on events.subject = users.id::text left join deliveries using (event_id)
    group by users.id having count(distinct event_id) <> 1 or
      array_agg(group_name order by group_name) is distinct from ${GROUPS_OF_SIGNUPS}::text[]`;
  const letters = new Map<string, readonly Letter[]>();
  for (const { name } of CHAOS_GROUPS) letters.set(name, await lettersOf(redis, name));
  await sql.end();
  redis.disconnect();

  const rightlyAddressed = new Set(mailServer.accepted.map(({ eventId, to }) => `${eventId} ${to}`));
  const byGroup = effects.map((each) => {
    const copies = tally(each.read());
    const reached = ({ eventId, email }: Signup) =>
      each.group === MAIL ? rightlyAddressed.has(`${eventId} ${email}`) : copies.has(eventId);
    const ofGroup = rows.filter(({ group_name }) => group_name === each.group);
    const { group } = each;
    return auditGroup({ group, copies, reached }, ofGroup, letters.get(group) ?? [], load, mailServer.refused);
  });
  const mails = new Map(rows.filter(({ group_name }) => group_name === MAIL).map((row) => [row.event_id, row]));
  const duplicates = [...tally(mailServer.accepted.map(({ eventId }) => eventId))]
    .filter(([, copies]) => copies > 1)
    .map(([eventId, copies]) => ({
      eventId,
      copies,
      uncertain: mails.get(eventId)?.uncertain ?? 0,
      why: mails.get(eventId)?.why ?? "",
      during: mailServer.accepted.find((mail) => mail.eventId === eventId)?.during ?? "",
    }));
  return {
    accepted: load.accepted.length,
    byGroup,
    duplicates,
    unexplainedDuplicates: duplicates
      .filter(({ copies, uncertain }) => copies > 1 + uncertain)
      .map(({ eventId }) => eventId),
    incomplete: incomplete.map(({ email }) => email),
    leftovers: leftovers(await countUnfinished(system)),
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
