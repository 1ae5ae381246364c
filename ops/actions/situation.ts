import { codeOf } from "../../database/errors.ts";
import { ratesOf } from "../../database/groups/rates.ts";
import { listJobs } from "../../database/jobs.ts";
import { countOutbox, countRetrying, readBacklogs } from "../../database/ledger/counts.ts";
import { findTableLock } from "../../database/lock-waits.ts";
import { findPendingMigrations, type PostgresFacts, readPostgresFacts } from "../../database/postgres-facts.ts";
import { findStalledCommits } from "../../database/stalled-commits.ts";
import { CORRECT_SEARCH_PATH, findTablesElsewhere, wordsOfTablesElsewhere } from "../../database/tables-elsewhere.ts";
import { countRecentSuppressions } from "../../database/users/suppressions.ts";
import { pause } from "../../runtime/loop.ts";
import { counted, duration } from "../../runtime/quantity.ts";
import { describe } from "../../runtime/situation/describe.ts";
import type { Facts, WriteRefusal } from "../../runtime/situation/facts.ts";
import type { Finding } from "../../runtime/situation/finding.ts";
import { endsNoCommit, refusesLogin, since } from "../../runtime/situation/words.ts";
import { readApiReports } from "../../stream/api-reports.ts";
import { readAgainIfRefused } from "../../stream/ask-again.ts";
import { readLatestLetter } from "../../stream/dead-letters.ts";
import { loginRefusalOf, refusalOf } from "../../stream/refusals.ts";
import { redisTimeMs } from "../../stream/watermark.ts";
import { wrongTypeOf } from "../../stream/wrong-type.ts";
import type { Operator } from "./operator.ts";
import { apiFacts, type CountedStatus, factsOf, shownJobs } from "./situation-facts.ts";
import { type PipelineStatus, readStatus } from "./status.ts";
import { ANSWER_WITHIN_MS, answerWithin, type Store, untilStoresAnswer } from "./stores.ts";

/** A reading that is watched is given up after this time, in ms: a store may hang in the middle of it. */
const WATCHED_WITHIN_MS = 8_000;
/** A server of Redis that refuses is asked again for so long: a reconnect takes some ms, a look-up of the primary up to two seconds. */
const REFUSED_WITHIN_MS = 3_000;

type Asked = Pick<Operator, "db" | "redis" | "keys" | "groups">;

/** The state of the pipeline, as far as the stores answer, and what it means. */
export interface Situation {
  /** The most important first. */
  readonly findings: readonly [Finding, ...Finding[]];
  /** Stores that do not answer. */
  readonly away: readonly Store[];
  /** undefined: a store is away. */
  readonly status: CountedStatus | undefined;
}

/** The facts of Postgres, and how far Redis' clock is ahead of its, in ms. */
export const readClocks = async ({
  db,
  redis,
}: Pick<Asked, "db" | "redis">): Promise<{ readonly postgres: PostgresFacts; readonly differenceMs: number }> => {
  const [redisMs, postgres] = await Promise.all([redisTimeMs(redis), readPostgresFacts(db)]);
  return { postgres, differenceMs: redisMs - postgres.clockMs };
};

/** Since when something was found not to answer, for who asks again and again. */
export type AwaySince = Map<Store | "state", Date>;

const sinceIn = (away: AwaySince, what: Store | "state", now: Date): string => {
  const at = away.get(what) ?? now;
  away.set(what, at);
  return since(at.toISOString(), now);
};

const REFUSED = /ECONNREFUSED|refused/;

/** What keeps a store from answering; undefined: it answers. */
const faultOf = async (asked: Asked, store: Store, now: Date, away?: AwaySince): Promise<string | undefined> => {
  try {
    await untilStoresAnswer(asked, [store], ANSWER_WITHIN_MS / 2);
    away?.delete(store);
    return undefined;
  } catch (error) {
    // Nobody listens there: it does not run, or elsewhere. One that hangs takes connections.
    const message = error instanceof Error ? error.message : "";
    const login = store === "redis" ? loginRefusalOf(message) : undefined;
    if (login !== undefined) return refusesLogin(login) + (away === undefined ? "" : ` ${sinceIn(away, store, now)}`);
    const isRefused = REFUSED.test(message);
    if (away === undefined) return isRefused ? "refuses connections" : "does not answer";
    return `${isRefused ? "has refused connections" : "has not answered"} ${sinceIn(away, store, now)}`;
  }
};

const NONE: Facts["outbox"] = { rows: 0, oldestMs: 0 };

/** What waits in the outbox; nothing, if it cannot be read. */
const readOutbox = async (db: Asked["db"]): Promise<Facts["outbox"]> => {
  const outbox = await answerWithin("database", countOutbox(db), ANSWER_WITHIN_MS / 2).catch(() => undefined);
  return { rows: outbox?.rows ?? 0, oldestMs: outbox?.oldestAgeMs ?? 0 };
};

/** What apis say of themselves; undefined: it cannot be read. */
const readApis = async ({ redis, keys }: Asked): Promise<Facts["apis"] | undefined> => {
  const reports = answerWithin("redis", readApiReports(redis, keys), ANSWER_WITHIN_MS / 2);
  return (await reports.catch(() => undefined))?.map(apiFacts);
};

const JOBS = 20;
/** Nothing of ours locks a table for longer, but for migrations. */
const LOCKED_MS = 2_000;

/** What a status says of the groups, and what waits, is limited, and goes on there. */
const countWork = async (
  { db, redis, keys }: Pick<Asked, "db" | "redis" | "keys">,
  status: PipelineStatus,
  now: Date,
): Promise<CountedStatus> => {
  const names = status.groups.filter(({ orphaned }) => !orphaned).map(({ group }) => group);
  const withLetters = status.groups.filter(({ deadLetters }) => deadLetters > 0).map(({ group }) => group);
  const [backlogs, retrying, rates, suppressed, jobs, letters] = await Promise.all([
    readBacklogs(db, names),
    countRetrying(db, names),
    ratesOf(db).list(),
    countRecentSuppressions(db),
    listJobs(db, JOBS),
    Promise.all(withLetters.map(async (name) => [name, await readLatestLetter(redis, keys, name)] as const)),
  ]);
  return {
    ...status,
    backlogs: Object.fromEntries(backlogs),
    retrying,
    rates,
    suppressed,
    jobs: shownJobs(jobs, now),
    latestLetters: Object.fromEntries(letters.flatMap(([name, letter]) => (letter === null ? [] : [[name, letter]]))),
  };
};

/** undefined_table, undefined_column: the schema is older than this code, or there is none. */
const SCHEMA_IS_OLD = new Set(["42P01", "42703"]);

/** What a statement's failure means, if migrations are missing, or the tables are not where they are looked for. */
const ofSchema = async (db: Asked["db"], error: unknown): Promise<Situation> => {
  const pending = SCHEMA_IS_OLD.has(codeOf(error)) ? await findPendingMigrations(db) : [];
  const [first] = pending;
  if (first === undefined) throw error;
  const elsewhere = await findTablesElsewhere(db);
  const lacking = `The database is not up to date: it lacks ${counted(pending.length, "migration")}, from ${first} on`;
  const finding: Finding =
    elsewhere === undefined
      ? { level: "trouble", sentence: lacking, remedy: "bun run migrate" }
      : { level: "trouble", sentence: wordsOfTablesElsewhere(elsewhere), remedy: CORRECT_SEARCH_PATH };
  return { findings: [finding], away: [], status: undefined };
};

/** What a reading that failed means, if a key is not what it should be. All that is in Redis is made again from Postgres. */
const ofWrongType = ({ keys, groups }: Asked, error: unknown): Situation | undefined => {
  const found = wrongTypeOf(error);
  if (found === undefined) return undefined;
  const isOfReports = [keys.apis, ...groups.flatMap(({ name }) => [keys.reports(name), keys.history(name)])].includes(
    found.key,
  );
  const means = isOfReports
    ? "what processes report there is not known, nor can the rest of this state be read; work goes on"
    : "whoever needs it cannot do its work; nothing that was accepted is lost";
  const sentence = `The key ${found.key} of Redis holds another type than ${found.command} reads: ${means}`;
  const remedy = `find out who wrote it, then: redis-cli UNLINK '${found.key}'`;
  return { findings: [{ level: "trouble", sentence, remedy }], away: [], status: undefined };
};

/** What a reading that failed means, if Redis refuses what it is asked: it has lost its primary, for example. */
const ofRefusedRead = async (db: Asked["db"], error: unknown, now: Date): Promise<Situation | undefined> => {
  const code = error instanceof Error ? refusalOf(error.message) : undefined;
  if (code === undefined) return undefined;
  const redis = `refuses a command (${code})`;
  const known = { now, postgres: undefined, redis, outbox: await readOutbox(db), clockDifferenceMs: 0, groups: [] };
  return { findings: describe(known), away: [], status: undefined };
};

/** What a reading that failed means, if somebody's lock is in its way. */
const ofLock = async (db: Asked["db"], now: Date): Promise<Situation | undefined> => {
  // However short it is: a statement has waited for it in vain.
  const tableLock = await answerWithin("database", findTableLock(db, 0), ANSWER_WITHIN_MS / 2).catch(() => undefined);
  const known = { now, postgres: undefined, redis: undefined, outbox: NONE, clockDifferenceMs: 0, groups: [] };
  const findings = describe({ ...known, tableLock });
  return findings[0].level === "trouble" ? { findings, away: [], status: undefined } : undefined;
};

/** What the process that watches knows beside the stores' answers. */
interface Watched {
  readonly withinMs?: number;
  readonly away?: AwaySince | undefined;
  readonly refusal?: WriteRefusal | undefined;
}

/** Asks both stores, and says what their answers mean; a store that is away is a finding, not an error. */
export const readSituation = async (
  asked: Asked,
  now: Date,
  { away: awaySince, refusal }: Pick<Watched, "away" | "refusal"> = {},
): Promise<Situation> => {
  const [postgres, redis] = await Promise.all([
    faultOf(asked, "database", now, awaySince),
    faultOf(asked, "redis", now, awaySince),
  ]);
  const away = [
    postgres === undefined ? [] : ["database" as const],
    redis === undefined ? [] : ["redis" as const],
  ].flat();
  if (away.length > 0) {
    const [outbox, apis] = await Promise.all([
      postgres === undefined ? readOutbox(asked.db) : NONE,
      redis === undefined ? readApis(asked) : undefined,
    ]);
    const known = { now, postgres, redis, outbox, clockDifferenceMs: 0, groups: [], isOnlooker: true };
    return { findings: describe({ ...known, ...(apis && { apis }) }), away, status: undefined };
  }
  try {
    const [status, { postgres: ofPostgres, differenceMs }, tableLock, stalledSince] = await readAgainIfRefused(
      asked.redis,
      () =>
        Promise.all([
          readStatus(asked).then((read) => countWork(asked, read, now)),
          readClocks(asked),
          findTableLock(asked.db, LOCKED_MS),
          findStalledCommits(asked.db),
        ]),
      REFUSED_WITHIN_MS,
    );
    const known = factsOf(status, asked.groups, ofPostgres, differenceMs, now);
    const stalled = stalledSince && { postgres: endsNoCommit(stalledSince, now) };
    return { findings: describe({ ...known, ...stalled, refusal, tableLock }), away: [], status };
  } catch (error) {
    return (
      ofWrongType(asked, error) ??
      (await ofRefusedRead(asked.db, error, now)) ??
      (await ofLock(asked.db, now)) ??
      (await ofSchema(asked.db, error))
    );
  }
};

/**
 * The same, to be read again and again: what keeps it from being read is a finding, too. So a watch outlives a store that hangs, or
 * goes away in the middle of a reading.
 */
export const watchSituation = async (
  asked: Asked,
  now: Date,
  { withinMs = WATCHED_WITHIN_MS, away, refusal }: Watched = {},
): Promise<Situation> => {
  const done = new AbortController();
  const late = pause(withinMs, done.signal).then((): never => {
    throw new Error(`no answer within ${duration(withinMs)}`);
  });
  // Nobody awaits the one that loses the race.
  late.catch(() => {});
  const reading = readSituation(asked, now, { away, refusal });
  reading.catch(() => {});
  try {
    const situation = await Promise.race([reading, late]);
    away?.delete("state");
    return situation;
  } catch (error) {
    const locked = await ofLock(asked.db, now);
    if (locked !== undefined) return locked;
    const why = error instanceof Error ? error.message : String(error);
    const sentence =
      away === undefined
        ? `The state cannot be read: ${why}`
        : `The state has been unreadable ${sinceIn(away, "state", now)}: ${why}`;
    return { findings: [{ level: "trouble", sentence }], away: [], status: undefined };
  } finally {
    done.abort();
  }
};
