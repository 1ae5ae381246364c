import { Redis } from "ioredis";
import type { Sql } from "postgres";
import { USER_SIGNED_UP } from "../../stream/events/user-signed-up.ts";
import { openForAudit } from "./database.ts";
import type { Effects } from "./effects.ts";
import { createGroupAudit, type DeliveryRow, type Duplicate, type GroupAudit, type Letter } from "./group-audit.ts";
import { GROUPS_OF_SIGNUPS, WEBHOOK } from "./groups.ts";
import type { Load } from "./load.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import type { Stall } from "./stores.ts";
import { type ChaosSystem, REMINDER_DELAY_MS } from "./system.ts";
import { countUnfinished, leftovers } from "./unfinished.ts";

/** A user whose signups were all answered by 503, and who exists. */
export interface MadeInSecret {
  readonly email: string;
  /** The fault in force at the last answer. */
  readonly during: string;
}

export interface Audit {
  readonly accepted: number;
  readonly byGroup: readonly GroupAudit[];
  readonly duplicates: readonly Duplicate[];
  /** Duplicates of mails beyond the `uncertain` counter. */
  readonly unexplainedDuplicates: readonly string[];
  /** Events that the receiver acknowledged more often than once, and once more for each attempt without an answer, with their steps. */
  readonly unexplainedWebhooks: readonly string[];
  /** Reminders to users who had confirmed in time. */
  readonly needlessReminders: readonly string[];
  /** Users without exactly one event that has one delivery for each group. */
  readonly incomplete: readonly string[];
  readonly madeInSecret: readonly MadeInSecret[];
  /** What was still in progress, in words. */
  readonly leftovers: readonly string[];
}

/** A look-up of the reminder may be this much older than its mail. */
const LOOKED_UP_BEFORE_MS = 3_000;
const ROWS_AT_A_TIME = 1_000;
const LETTERS_AT_A_TIME = 100;

const lettersOf = async (redis: Redis, group: string): Promise<readonly Letter[]> => {
  const fieldOf = (fields: readonly string[], name: string) => fields[fields.indexOf(name) + 1] ?? "";
  const letters: Letter[] = [];
  for (let from = "-"; ; ) {
    const page = await redis.xrange(`{chaos}:dead:${group}`, from, "+", "COUNT", LETTERS_AT_A_TIME);
    for (const [, fields] of page) {
      letters.push({ eventId: fieldOf(fields, "event_id"), reason: fieldOf(fields, "reason") });
    }
    const last = page.at(-1);
    if (last === undefined) return letters;
    from = `(${last[0]}`;
  }
};

/** Calls back for each delivery of the run, some at a time. What was confirmed while commits stalled was known at the end of that. */
const readDeliveries = (sql: Sql, stalls: readonly Stall[], read: (row: DeliveryRow) => void): Promise<unknown> =>
  sql<DeliveryRow[]>`
    select group_name, event_id, type, state, reason, uncertain, email,
      email_verified_at is not null as confirmed,
      coalesce(email_verified_at < events.created_at + ${REMINDER_DELAY_MS - LOOKED_UP_BEFORE_MS} * interval '1 ms', false)
        and not exists (
          select from jsonb_to_recordset(${sql.json(stalls.map(({ from, to }) => ({ from, to })))}) as stall ("from" timestamptz, "to" timestamptz)
          where email_verified_at between stall.from and stall.to) as confirmed_in_time,
      (select string_agg(distinct step ->> 'reason', ', ') from jsonb_array_elements(timeline) as step
        where step ->> 'state' = 'uncertain') as why,
      (select count(*)::int from jsonb_array_elements(timeline) as step
        where step ->> 'reason' in ('lease_ran_out', 'timeout')) as unanswered,
      timeline @> '[{"by": "ops", "reason": "replayed"}]' as replayed
    from deliveries join events using (event_id) left join users on users.id::text = events.subject`.cursor(
    ROWS_AT_A_TIME,
    (rows) => {
      for (const row of rows) read(row);
    },
  );

const incompleteUsers = (sql: Sql): Promise<{ readonly email: string }[]> => sql`
  select email from users
    left join events on events.subject = users.id::text and events.type = ${USER_SIGNED_UP}
    left join deliveries using (event_id)
  group by users.id having count(distinct event_id) <> 1 or
    array_agg(group_name order by group_name) is distinct from ${GROUPS_OF_SIGNUPS}::text[]`;

/** What became of a few events in a group, in words. */
const stepsOf = (sql: Sql, group: string, eventIds: readonly string[]): Promise<{ readonly steps: string }[]> => sql`
  select event_id || ' (' || (select string_agg(concat_ws(' ', step ->> 'state', step ->> 'reason', step ->> 'by'), '; ')
    from jsonb_array_elements(timeline) as step) || ')' as steps
  from deliveries where group_name = ${group} and event_id::text = any(${eventIds}::text[])`;

const existing = (sql: Sql, emails: readonly string[]): Promise<{ readonly email: string }[]> => sql`
  select email from users where email = any(${emails}::text[])`;

/** Compares what was promised over HTTP with the effects of all groups of a signup, by way of the ledger. */
export const audit = async (
  system: ChaosSystem,
  mailServer: ChaoticMailServer,
  effects: readonly Effects[],
  load: Load,
): Promise<Audit> => {
  const sql = openForAudit(system.databaseUrl);
  const redis = new Redis(system.redisUrl);
  const accepted = load.accepted.map(({ eventId }) => eventId);
  const { refused, refusedWithAccount } = mailServer;
  const audits = new Map<string, ReturnType<typeof createGroupAudit>>();
  for (const { group, read } of effects) {
    const letters = await lettersOf(redis, group);
    const mails = mailServer.mails.of(group);
    const options = { group, effects: read(), mails, accepted, letters, refused, refusedWithAccount };
    audits.set(group, createGroupAudit(options));
  }
  await readDeliveries(sql, system.postgres.stalls, (row) => audits.get(row.group_name)?.read(row));
  const incomplete = await incompleteUsers(sql);
  const inSecret = await existing(sql, [...load.unavailable.keys()]);
  const byGroup = [...audits.values()].map((each) => each.result());
  const repeated = byGroup.flatMap((each) => each.repeatedWebhooks);
  const stepsOfRepeated = await stepsOf(sql, WEBHOOK, repeated);
  await sql.end();
  redis.disconnect();

  const duplicates = byGroup.flatMap((each) => each.duplicates);
  return {
    accepted: accepted.length,
    byGroup,
    duplicates,
    unexplainedDuplicates: duplicates
      .filter(({ copies, uncertain }) => copies > 1 + uncertain)
      .map(({ group, eventId }) => `${eventId} of ${group}`),
    unexplainedWebhooks: stepsOfRepeated.map(({ steps }) => steps),
    needlessReminders: byGroup.flatMap((each) => each.needless),
    incomplete: incomplete.map(({ email }) => email),
    madeInSecret: inSecret.map(({ email }) => ({ email, during: load.unavailable.get(email) ?? "" })),
    leftovers: leftovers(await countUnfinished(system)),
  };
};
