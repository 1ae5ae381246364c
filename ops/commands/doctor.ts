import { countLedger } from "../../database/ledger-counts.ts";
import { findPendingMigrations, readPostgresFacts } from "../../database/postgres-facts.ts";
import { untilReady } from "../../stream/connection.ts";
import { listGroups, readGroupStatus } from "../../stream/group-status.ts";
import { readRedisFacts } from "../../stream/redis-facts.ts";
import { redisTimeMs } from "../../stream/watermark.ts";
import type { Command, CommandContext, Store } from "../command.ts";
import { type Check, checkClocks, checkGroup, checkOutbox, checkPostgres, checkRedis } from "../diagnosis.ts";
import { ANSWER_WITHIN_MS, answerWithin } from "../stores.ts";
import type { Style, Tone } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";
import { verifyMailServer } from "../verify-mail-server.ts";

const TONES: Readonly<Record<Check["verdict"], Tone>> = { ok: "good", warn: "warning", fail: "bad", skipped: "dim" };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The checks, or one that says why they could not be made. Other stores are looked at all the same. */
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
const START_REDIS = "start it, or correct REDIS_URL; signups wait in the outbox meanwhile";

const clockDifferenceMs = async ({ db, redis }: CommandContext): Promise<number> => {
  const [redisMs, facts] = await Promise.all([redisTimeMs(redis), readPostgresFacts(db)]);
  return redisMs - facts.clockMs;
};

const checkMailServer = async ({ settings }: CommandContext): Promise<Check> => {
  const name = "mail server";
  if (settings.MAIL_SERVER === undefined) {
    return { name, verdict: "skipped", finding: "MAIL_SERVER is not set: not looked at" };
  }
  try {
    await verifyMailServer(settings);
    return {
      name,
      verdict: "ok",
      finding: `${settings.MAIL_SERVER}:${settings.MAIL_PORT} takes mail, ${settings.MAIL_TLS}`,
    };
  } catch (error) {
    const remedy = "look at MAIL_SERVER, MAIL_PORT, MAIL_TLS, MAIL_USERNAME and MAIL_PASSWORD";
    return { name, verdict: "fail", finding: messageOf(error), remedy };
  }
};

const examinePostgres = ({ db }: CommandContext): Promise<readonly Check[]> =>
  attempt("postgres", "database", START_POSTGRES, async () => {
    const [facts, pending] = await Promise.all([readPostgresFacts(db), findPendingMigrations(db)]);
    return checkPostgres(facts, pending);
  });

const examineOutbox = ({ db }: CommandContext): Promise<readonly Check[]> =>
  attempt("outbox", "database", "bun run migrate, if tables are missing", async () => [
    checkOutbox((await countLedger(db)).outbox),
  ]);

const examineRedis = async (context: CommandContext): Promise<readonly Check[]> => {
  const { redis, keys } = context;
  if (!(await untilReady(redis, ANSWER_WITHIN_MS - 500))) {
    return [{ name: "redis", verdict: "fail", finding: "away: no connection could be made", remedy: START_REDIS }];
  }
  const checks = await Promise.all([
    attempt("redis", "redis", START_REDIS, async () => checkRedis(await readRedisFacts(redis))),
    answerWithin("redis", clockDifferenceMs(context)).then(
      (differenceMs) => [checkClocks(differenceMs)],
      // One of the two is away, and is told of by its own check.
      () => [],
    ),
    attempt("groups", "redis", START_REDIS, async () => {
      const all = await listGroups(redis, keys);
      return (await Promise.all(all.map((group) => readGroupStatus(redis, keys, group)))).flatMap(checkGroup);
    }),
  ]);
  return checks.flat();
};

/** All at once: a store that is away costs its own time limit only. */
const examine = async (context: CommandContext): Promise<readonly Check[]> => {
  const [postgres, redis, outbox, mail] = await Promise.all([
    examinePostgres(context),
    examineRedis(context),
    examineOutbox(context),
    checkMailServer(context),
  ]);
  return [...postgres, ...redis, ...outbox, mail];
};

const diagnosisText = (style: Style, checks: readonly Check[]): string =>
  table(
    style,
    [{ title: "" }, { title: "check" }, { title: "finding" }, { title: "what to do" }],
    checks.map((check): Cell[] => [
      { text: check.verdict, tone: TONES[check.verdict] },
      check.name,
      check.finding,
      check.remedy ?? "",
    ]),
  );

export const doctor: Command = {
  name: "doctor",
  summary: "Is everything set up as it should be? One line per check, and what to do",
  usage: "",
  about:
    "Exit 0 if nothing failed, warnings or not. The mail server is spoken to as far as the login if MAIL_SERVER is set.",
  options: {},
  words: [0, 0],
  examples: [["doctor", "after an installation, and when something is odd"]],
  // It says itself what is away.
  needs: [],
  async run(context) {
    const checks = await examine(context);
    const failed = checks.some((check) => check.verdict === "fail");
    return { json: { healthy: !failed, checks }, failed, text: (style) => diagnosisText(style, checks) };
  },
};
