import { BACKLOG_BOUND, countLedger } from "../../database/ledger/counts.ts";
import { countLostRepeatedly } from "../../database/ledger/lost.ts";
import { findLockWait } from "../../database/lock-waits.ts";
import { findPendingMigrations, readPostgresFacts } from "../../database/postgres-facts.ts";
import type { Settings } from "../../settings/load.ts";
import { untilReady } from "../../stream/connection.ts";
import { readGroupStatuses } from "../../stream/group-status.ts";
import { readRedisFacts } from "../../stream/redis-facts.ts";
import {
  type Check,
  checkClocks,
  checkGroup,
  checkLocks,
  checkLost,
  checkOutbox,
  checkPostgres,
  checkRedis,
} from "./diagnosis.ts";
import { type DnsRecords, openDns } from "./dns-records.ts";
import { checkMailDns } from "./mail-dns.ts";
import type { Operator } from "./operator.ts";
import { clockDifferenceMs, readSituation } from "./situation.ts";
import { ANSWER_WITHIN_MS, answerWithin, type Store } from "./stores.ts";

type Patient = Pick<Operator, "db" | "redis" | "keys" | "groups">;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The checks, or one that says why they could not be made. The other stores are examined all the same. */
const attempt = async (
  name: string,
  store: Store,
  remedy: string,
  checks: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> => {
  try {
    return await answerWithin(store, checks());
  } catch (error) {
    return [{ name, verdict: "fail", finding: messageOf(error), remedy }];
  }
};

const START_POSTGRES = "start it, or correct DATABASE_URL";
const START_REDIS = "start it, or correct REDIS_URL; until then signups wait in the outbox";

const checkMailServer = async (settings: Settings): Promise<Check> => {
  const name = "mail server";
  if (settings.MAIL_SERVER === undefined) {
    return { name, verdict: "skipped", finding: "not checked: MAIL_SERVER is not set" };
  }
  try {
    const { verifyMailServer } = await import("./verify-mail-server.ts");
    await verifyMailServer(settings);
    return {
      name,
      verdict: "ok",
      finding: `${settings.MAIL_SERVER}:${settings.MAIL_PORT} accepts mail, TLS ${settings.MAIL_TLS}`,
    };
  } catch (error) {
    const remedy = "check MAIL_SERVER, MAIL_PORT, MAIL_TLS, MAIL_USERNAME and MAIL_PASSWORD";
    return { name, verdict: "fail", finding: messageOf(error), remedy };
  }
};

const examinePostgres = ({ db }: Patient): Promise<readonly Check[]> =>
  attempt("postgres", "database", START_POSTGRES, async () => {
    const [facts, pending, wait] = await Promise.all([
      readPostgresFacts(db),
      findPendingMigrations(db),
      findLockWait(db),
    ]);
    return [...checkPostgres(facts, pending), checkLocks(wait)];
  });

const examineLedger = ({ db }: Patient): Promise<readonly Check[]> =>
  attempt("lost repeatedly", "database", "bun run migrate, if columns are missing", async () => [
    checkLost(await countLostRepeatedly(db, BACKLOG_BOUND)),
  ]);

const examineOutbox = ({ db }: Patient): Promise<readonly Check[]> =>
  attempt("outbox", "database", "bun run migrate, if tables are missing", async () => [
    checkOutbox((await countLedger(db)).outbox),
  ]);

const examineRedis = async (patient: Patient): Promise<readonly Check[]> => {
  const { redis, keys, groups } = patient;
  if (!(await untilReady(redis, ANSWER_WITHIN_MS - 500))) {
    return [{ name: "redis", verdict: "fail", finding: "away: no connection", remedy: START_REDIS }];
  }
  const checks = await Promise.all([
    attempt("redis", "redis", START_REDIS, async () => checkRedis(await readRedisFacts(redis))),
    answerWithin("redis", clockDifferenceMs(patient)).then(
      (differenceMs) => [checkClocks(differenceMs)],
      // One of the two is away, and its own check says so.
      () => [],
    ),
    attempt("groups", "redis", START_REDIS, async () =>
      (await readGroupStatuses(redis, keys, groups)).flatMap(checkGroup),
    ),
  ]);
  return checks.flat();
};

const VERDICTS = { trouble: "fail", notice: "warn", well: "ok" } as const;

/** The most important of what the system says of itself, in a sentence. */
const examineSituation = async (patient: Patient): Promise<readonly Check[]> => {
  const { findings, status } = await readSituation(patient, new Date());
  // Then the stores' own checks say it.
  if (status === undefined) return [];
  const [{ level, sentence, remedy }] = findings;
  return [
    { name: "situation", verdict: VERDICTS[level], finding: sentence, ...(remedy === undefined ? {} : { remedy }) },
  ];
};

/**
 * Examines both stores, the groups, the mail server and the sender in DNS, all at once: what is away costs only its own limit.
 */
export const examine = async (
  patient: Patient,
  settings: Settings,
  dns: DnsRecords = openDns(),
): Promise<readonly Check[]> => {
  const [situation, postgres, redis, outbox, ledger, mail, sender] = await Promise.all([
    attempt("situation", "database", "the other checks say what is missing", () => examineSituation(patient)),
    examinePostgres(patient),
    examineRedis(patient),
    examineOutbox(patient),
    examineLedger(patient),
    checkMailServer(settings),
    checkMailDns(settings, dns),
  ]);
  return [...situation, ...postgres, ...redis, ...outbox, ...ledger, mail, ...sender];
};
