import { BACKLOG_BOUND, countLedger } from "../../database/ledger/counts.ts";
import { countLostRepeatedly } from "../../database/ledger/lost.ts";
import { readRetention } from "../../database/ledger/retention-record.ts";
import { findLockWait } from "../../database/lock-waits.ts";
import { findPendingMigrations, readPostgresFacts } from "../../database/postgres-facts.ts";
import { findTablesElsewhere } from "../../database/tables-elsewhere.ts";
import { messageOf } from "../../runtime/message-of.ts";
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
import { checkMailServer, type MailServerAnswer, wordsOfConsumers } from "./mail-server.ts";
import type { Operator } from "./operator.ts";
import { retentionWords } from "./retention-words.ts";
import { readClocks, readSituation, type Situation } from "./situation.ts";
import type { PipelineStatus } from "./status.ts";
import { ANSWER_WITHIN_MS, answerWithin, type Store } from "./stores.ts";

type Patient = Pick<Operator, "db" | "redis" | "keys" | "groups">;

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

/** Talks to the mail server as a consumer would. */
const askMailServer = async (settings: Settings): Promise<MailServerAnswer> => {
  const { MAIL_SERVER: host, MAIL_PORT: port, MAIL_TLS: tls, MAIL_USERNAME: user } = settings;
  if (host === undefined) return { kind: "unknown" };
  const server = `${host}:${port}`;
  const { isOutOfReach, verifyMailServer } = await import("./verify-mail-server.ts");
  try {
    await verifyMailServer(settings);
    return { kind: "accepts", server, tls, hasLogin: user !== undefined };
  } catch (error) {
    return { kind: isOutOfReach(error) ? "out-of-reach" : "refuses", server, fault: messageOf(error) };
  }
};

const examinePostgres = ({ db }: Patient): Promise<readonly Check[]> =>
  attempt("postgres", "database", START_POSTGRES, async () => {
    const [facts, pending, elsewhere, wait] = await Promise.all([
      readPostgresFacts(db),
      findPendingMigrations(db),
      findTablesElsewhere(db),
      findLockWait(db),
    ]);
    return [...checkPostgres(facts, pending, elsewhere), checkLocks(wait)];
  });

const examineLedger = ({ db }: Patient): Promise<readonly Check[]> =>
  attempt("lost repeatedly", "database", "bun run migrate, if columns are missing", async () => [
    checkLost(await countLostRepeatedly(db, BACKLOG_BOUND)),
  ]);

/** What is kept is a choice, and no fault. */
const examineRetention = ({ db }: Patient): Promise<readonly Check[]> =>
  attempt("ledger retention", "database", "bun run migrate, if tables are missing", async () => [
    { name: "ledger retention", verdict: "ok", finding: retentionWords(await readRetention(db), new Date()) },
  ]);

const examineOutbox = ({ db }: Patient, status: PipelineStatus | undefined): Promise<readonly Check[]> =>
  attempt("outbox", "database", "bun run migrate, if tables are missing", async () => [
    checkOutbox((status?.ledger ?? (await countLedger(db))).outbox),
  ]);

const examineRedis = async (patient: Patient): Promise<readonly Check[]> => {
  const { redis } = patient;
  if (!(await untilReady(redis, ANSWER_WITHIN_MS - 500))) {
    return [{ name: "redis", verdict: "fail", finding: "away: no connection", remedy: START_REDIS }];
  }
  const checks = await Promise.all([
    attempt("redis", "redis", START_REDIS, async () => checkRedis(await readRedisFacts(redis))),
    answerWithin("redis", readClocks(patient)).then(
      ({ differenceMs }) => [checkClocks(differenceMs)],
      // One of the two is away, and its own check says so.
      () => [],
    ),
  ]);
  return checks.flat();
};

/** Redis alone knows them: they are asked for once more only if the situation could not be read, because Postgres is away. */
const groupsOf = async ({ redis, keys, groups }: Patient, status: PipelineStatus | undefined) => {
  if (status !== undefined) return status.groups;
  return redis.status === "ready" ? readGroupStatuses(redis, keys, groups) : [];
};

const VERDICTS = { trouble: "fail", notice: "warn", well: "ok" } as const;

/** The most important of what the system says of itself, in a sentence. */
const checkSituation = ({ findings: [{ level, sentence, remedy }] }: Situation): Check => ({
  name: "situation",
  verdict: VERDICTS[level],
  finding: sentence,
  ...(remedy === undefined ? {} : { remedy }),
});

/**
 * Examines both stores, the groups, the mail server and the sender in DNS, all at once: what is away costs only its own limit.
 * `inCluster`: this process runs in a pod, which may not have what consumers have.
 */
export const examine = async (
  patient: Patient,
  settings: Settings,
  { inCluster = false, dns = openDns() }: { readonly inCluster?: boolean; readonly dns?: DnsRecords } = {},
): Promise<readonly Check[]> => {
  let status: PipelineStatus | undefined;
  const situated = attempt("situation", "database", "the other checks say what is missing", async () => {
    const situation = await readSituation(patient, new Date());
    status = situation.status;
    // A store that is away is what its own checks say.
    return status === undefined ? [] : [checkSituation(situation)];
  });
  const [situation, postgres, redis, ledger, retention, answer, sender] = await Promise.all([
    situated,
    examinePostgres(patient),
    examineRedis(patient),
    examineLedger(patient),
    examineRetention(patient),
    askMailServer(settings),
    checkMailDns(settings, dns),
  ]);
  const outbox = await examineOutbox(patient, status);
  let consumers = "";
  const groups = await attempt("groups", "redis", START_REDIS, async () => {
    const found = await groupsOf(patient, status);
    consumers = wordsOfConsumers(found);
    return found.flatMap(checkGroup);
  });
  const mail = checkMailServer(answer, { inCluster, consumers });
  return [...situation, ...postgres, ...redis, ...groups, ...outbox, ...ledger, ...retention, mail, ...sender];
};
