import { strict as assert } from "node:assert";
import type { Redis } from "ioredis";
import { openDatabase } from "../../database/connection.ts";
import { pausesOf } from "../../database/groups/pauses.ts";
import { ratesOf } from "../../database/groups/rates.ts";
import { asDatabaseRole } from "../../local/postgres.ts";
import { endApiReport, writeApiReport } from "../../stream/api-reports.ts";
import { findDoneNotes, noteDone } from "../../stream/done-note.ts";
import { ensureGroup } from "../../stream/ensure-group.ts";
import { acknowledge, readAfter, readNew, setAside } from "../../stream/entries.ts";
import { readConsumers, readGroupStatus } from "../../stream/group-status.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { keysOf } from "../../stream/keys.ts";
import { createPauseKeeper, pauseGroup } from "../../stream/pauses.ts";
import { forgetProbes, takeProbe } from "../../stream/probes.ts";
import { createRateKeeper } from "../../stream/rates.ts";
import { mayReport, stopReporting } from "../../stream/reporter.ts";
import { claimIdle } from "../../stream/scripts/claim.ts";
import { sayLead } from "../../stream/scripts/lead.ts";
import { leaveGroup } from "../../stream/scripts/leave.ts";
import { resetIdleTimes } from "../../stream/scripts/reset-idle.ts";
import { restoreLag } from "../../stream/scripts/restore-lag.ts";
import { answerRequest, assignAnswers, endShare, sayShare } from "../../stream/scripts/share.ts";
import { skipEntries } from "../../stream/scripts/skip.ts";
import { COUNTS, takeLimits } from "../../stream/scripts/take-limits.ts";
import { takeQuotas } from "../../stream/scripts/take-quota.ts";
import * as trials from "../../stream/trials.ts";
import { trimBelow } from "../../stream/trim.ts";
import { measureRedis } from "../kubernetes/keda/redis-scaler.ts";
import { measureRedisStreams } from "../kubernetes/keda/redis-streams-scaler.ts";

/** On a pipeline of its own, so that no process that runs takes part. */
const keys = keysOf("rare");
const { events } = keys;
const group = WELCOME_EMAIL.name;
const retries = keys.retriesStream(group);

/** What an hour, a crash or an outage would bring about, each by the function that does it then. As an API. */
export const rarelyInApi = async (api: Redis, admin: Redis, databaseUrl: string): Promise<void> => {
  await ensureGroup(api, keys, WELCOME_EMAIL);
  for (const id of ["1", "2", "3"]) for (const stream of [events, retries]) await api.xadd(stream, "*", "id", id);
  const [, second] = await admin.xrange(events, "-", "+");
  // The position is known, how many entries were read until then is not: the lag is nil.
  await admin.xgroup("SETID", events, group, second?.[0] ?? "");
  assert.deepEqual((await restoreLag(api, events)).restored, [group]);
  await restoreLag(api, retries, { all: true });
  await readGroupStatus(api, keys, group);
  await trimBelow(api, events, "1-0");
  for (let time = 0; time < 2; time += 1) assert.ok(await mayReport(api, keys, "one", 1_000));
  await stopReporting(api, keys, "one");
  await writeApiReport(api, keys, "one", { host: "web-1", loops: {} });
  await endApiReport(api, keys, "one");
  await api.publish(keys.status, "1 queued");
  // One limit refuses, of two; the record is new.
  const limit = { quota: 1, periodMs: 60_000, counts: COUNTS.newMember, isOfRecord: false };
  const requests = ["one", "two"].map((name) => ({
    ...{ record: keys.admitted(name), member: "-", token: "" },
    takes: [{ limit, key: keys.limit("global", "all") }],
  }));
  const answers = await takeLimits(api, requests, { limits: [limit], keepMs: 60_000 });
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ["admitted", "refused"],
  );
  // A pause that Redis has lost, for a group that is resumed meanwhile; and one that only Redis has.
  await admin.sadd(keys.paused, "found");
  const lost = { group: "lost", reason: "gone", by: "ops", pausedAt: new Date() };
  const db = openDatabase({ url: asDatabaseRole(databaseUrl, "signup_api"), poolSize: 1, applicationName: "api" });
  const pauses = { ...pausesOf(db), list: async () => [lost], has: async () => false };
  // A rate that Redis has lost, and one that was ended.
  await admin.hset(keys.rates, "ended", "1");
  const order = { budget: "lost", perSecond: 1, by: "ops", orderedAt: new Date() };
  const rates = { ...ratesOf(db), list: async () => [order] };
  assert.deepEqual(await createRateKeeper({ rates, redis: api, keys })(), ["lost", "ended"]);
  const keep = createPauseKeeper({ pauses, redis: api, keys });
  await keep();
  assert.deepEqual((await keep()).saved, ["found"]);
  await pauses.remove("found");
  await db.destroy();
};

/** As a consumer, after the API. */
export const rarelyInConsumer = async (consumer: Redis, databaseUrl: string): Promise<void> => {
  const one = { group, consumer: "one", stream: retries };
  await ensureGroup(consumer, keys, WELCOME_EMAIL);
  await readNew(consumer, { ...one, count: 10 });
  const { entries } = await claimIdle(consumer, { ...one, consumer: "two", minIdleMs: 0, count: 10, suspectAfter: 3 });
  const [entry] = entries;
  assert.ok(entry !== undefined);
  await setAside(consumer, { group, consumer: "two", idleMs: 1 }, entry);
  await acknowledge(consumer, retries, group, [entry.id]);
  const log = { stream: events, group, retrySet: keys.retrySet(group) };
  const { upTo: after } = await skipEntries(consumer, log);
  const [next] = await readAfter(consumer, events, after, 1);
  await skipEntries(consumer, log, { after, lastId: next?.id ?? "", count: 1, delayed: [], delayMs: 0 });
  // It ends a blocked read when a consumer stops, if one is blocked just then.
  await consumer.client("UNBLOCK", await consumer.client("ID"));
  await leaveGroup(consumer, { events, retries }, group, "one");
  await readConsumers(consumer, keys, group);
  await resetIdleTimes(consumer, keys, group);
  // What is older than an hour.
  await consumer.hdel(keys.history(group), "0:1");
  await trials.noteTrial(consumer, keys.trials(group, "1"), { consumer: "one", size: 1 });
  await trials.readTrials(consumer, keys.trials(group, "1"));
  await trials.forgetTrials(consumer, keys.trials(group, "1"));
  await trials.takeIsolation(consumer, keys.isolation(group), "one", 1_000);
  await trials.keepIsolation(consumer, keys.isolation(group), "one", 1_000);
  await trials.leaveIsolation(consumer, keys.isolation(group), "one");
  await trials.sayRunning(consumer, keys.running(group, "one"), 1_000);
  await trials.isRunning(consumer, keys.running(group, "one"));
  await trials.endRunning(consumer, keys.running(group, "one"));
  // Where a login is refused: one may ask, another may not; then it works.
  const permit = { asked: 1, forMs: 1_000 };
  await takeProbe(consumer, keys.probes(group), permit);
  await takeProbe(consumer, keys.probes(group), permit);
  await forgetProbes(consumer, keys.probes(group));
  // A pool asks for a connection, another one gives one up, and both end.
  const share = { pool: "a", group, has: 0, idle: 0, mayBeLeftWithout: false };
  await sayShare(consumer, keys.shares("mail:25"), { ...share, request: "new" });
  await sayShare(consumer, keys.shares("mail:25"), { ...share, request: "repeated" });
  await assignAnswers(consumer, keys.shares("mail:25"), [{ giver: "a", had: 0, asker: "b" }]);
  await answerRequest(consumer, keys.shares("mail:25"), "a");
  // One of two leads, then the other.
  const lead = keys.lead("mail:25", group);
  await sayLead(consumer, lead, "a", { wish: "follow", perSecond: 0 });
  await sayLead(consumer, lead, "b", { wish: "one", perSecond: 0 });
  await sayLead(consumer, lead, "b", { wish: "none", perSecond: 0 });
  await endShare(consumer, keys.shares("mail:25"), "a");
  await noteDone(consumer, keys.sent(group, "1"));
  await findDoneNotes(consumer, [keys.sent(group, "1")]);
  // Used up: one is refused, and when the first has left the window, room is made. In a second quota it would have been the first.
  const quotaOf = (name: string) => ({
    ...{ limit: 1, windowMs: 1_000 },
    keys: { only: keys.quotaOnly(name), counted: keys.quota(name), refused: keys.quotaRefused(name) },
  });
  const asking = ["a", "b"].map((piece) => ({ piece, isForced: false, quotas: [quotaOf("r"), quotaOf("q")] }));
  await takeQuotas(consumer, asking, 10_000);
  await takeQuotas(consumer, asking, 20_000);
  await takeQuotas(consumer, [{ piece: "c", isForced: false, quotas: [quotaOf("new"), quotaOf("q")] }], 20_000);
  const db = openDatabase({
    url: asDatabaseRole(databaseUrl, "signup_consumer"),
    poolSize: 1,
    applicationName: "consumer",
  });
  await pauseGroup({ pauses: pausesOf(db), redis: consumer, keys }, { group: "gone", reason: "gone", by: "one" });
  // When the copy could not be written.
  await consumer.srem(keys.paused, "*");
  await db.destroy();
};

/** KEDA's scalers. */
export const countAsKeda = async (keda: Redis): Promise<void> => {
  await keda.ping();
  for (const stream of [events, retries]) {
    for (const consumerGroup of [group, "missing"]) {
      await measureRedisStreams(keda, { stream, consumerGroup, lagCount: "1" });
      await measureRedisStreams(keda, { stream, consumerGroup });
    }
  }
  // What its script calls depends on whether there are retries.
  await measureRedis(keda, { listName: keys.retrySet("missing") });
  await keda.zcard(keys.retrySet(group));
  // Of a cluster, and refused here, where there is none.
  for (const words of ["SLOTS", "SHARDS"]) await keda.call("CLUSTER", words).catch(() => {});
  await keda.call("COMMAND");
};

/** An exporter of metrics. */
export const countAsExporter = async (metrics: Redis): Promise<void> => {
  await metrics.ping();
  await metrics.zcard(keys.retrySet(group));
  for (const stream of [events, retries]) await metrics.xinfo("GROUPS", stream);
  for (const stream of [events, retries, keys.dead(group)]) {
    await metrics.xlen(stream);
    // A dead stream is missing until something has died.
    await metrics.xinfo("STREAM", stream).catch((error: unknown) => assert.match(String(error), /no such key/));
  }
};
