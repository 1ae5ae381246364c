import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { createLink } from "../chaos/link.ts";
import { eventually } from "../eventually.ts";
import { addSecondEntries } from "../lost-entries.ts";
import { ask, type OwnStandby, ownStandby } from "../own-standby.ts";
import { type PgBouncer, startPgBouncer } from "../pgbouncer.ts";
import { anOutbox, aPipeline, aSignup, type ConsumerOptions, type MailWork, type Pipeline } from "../pipeline.ts";
import { aPeer, aStalledConsumer, SHORT, someSignups, untilLeaseIsOver } from "../stalled-commits.ts";
import { startProxy, startProxyOf } from "../tcp-proxy.ts";

/** A primary that will fail, its standby, and a pipeline that finds whichever of the two takes writes. */
const aReplicatedPipeline = async () => {
  const pair = await ownStandby({ isSynchronous: false });
  const db = openDatabase({ url: pair.url, poolSize: 4, applicationName: "test" });
  const pipeline = await aPipeline(undefined, { url: pair.url, db, drop: () => db.destroy() });
  return {
    pair,
    pipeline,
    [Symbol.asyncDispose]: async () => {
      await pipeline[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
};

/** One address for both servers, which moves from the primary to the standby as a name or a service does, and PgBouncer behind it. */
const aMovingPooler = async (pair: OwnStandby) => {
  const address = await startProxyOf(pair.primaryUrl);
  const pooler: PgBouncer = await startPgBouncer(address.url);
  return {
    url: pooler.url,
    move: () => address.moveTo(Number(new URL(pair.standbyUrl).port)),
    [Symbol.asyncDispose]: async () => {
      await pooler[Symbol.asyncDispose]();
      await address[Symbol.asyncDispose]();
    },
  };
};

/** From now on the standby gets what is committed, and nobody is told that it is. */
const stallCommits = async ({ primaryUrl }: OwnStandby): Promise<void> => {
  await ask(primaryUrl, "alter system set synchronous_standby_names = 'away'");
  await ask(primaryUrl, "select pg_reload_conf()");
};

const CLAIMS_WAITING =
  "select 1 from pg_stat_activity where wait_event = 'SyncRep' and query like '%update deliveries%'";

/** Resolves when claims are committed on both, and nobody has been told. */
const untilClaimed = async (pair: OwnStandby): Promise<void> => {
  await eventually(async () => (await ask(pair.primaryUrl, CLAIMS_WAITING)).length > 0);
  await pair.untilReplicated();
};

const failOver = async (pair: OwnStandby): Promise<void> => {
  await pair.kill();
  await pair.promote();
};

const expectUntouched = async (
  pipeline: Pipeline,
  eventIds: readonly string[],
  sent: readonly string[],
): Promise<void> => {
  const statuses = () => Promise.all(eventIds.map((id) => pipeline.status(id)));
  const isUntouched = async () =>
    (await statuses()).every((status) => status?.state === "done" && status.uncertain === 0);
  await eventually(() => isUntouched().catch(() => false)).catch(() => {});
  for (const status of await statuses()) {
    console.log(JSON.stringify(status?.timeline));
    expect(status).toMatchObject({ state: "done", uncertain: 0, attempts: 1 });
    expect(status?.timeline.filter(({ state }) => state === "uncertain")).toEqual([]);
  }
  expect(sent.toSorted()).toEqual(eventIds.toSorted());
};

const HOLD: ConsumerOptions = { ...SHORT, uncertain: "hold" };

describe.each(["a list of servers", "PgBouncer"] as const)(
  "claims in flight as a standby is promoted, through %s",
  (way) => {
    const reach = async (pair: OwnStandby) =>
      way === "PgBouncer"
        ? aMovingPooler(pair)
        : { url: pair.url, move: () => {}, [Symbol.asyncDispose]: async () => {} };

    test("the standby has them, and their answers are lost: none counts as a try", async () => {
      await using replicated = await aReplicatedPipeline();
      const { pair, pipeline } = replicated;
      await using address = await reach(pair);
      const outbox = anOutbox();
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await pair.untilReplicated();
      await stallCommits(pair);
      for (const _ of ["one", "a peer"]) await pipeline.consumer(outbox.work, { ...HOLD, databaseUrl: address.url });
      await untilClaimed(pair);
      await untilLeaseIsOver();
      await failOver(pair);
      address.move();
      await expectUntouched(pipeline, eventIds, outbox.sent);
    });

    test("the standby lacks them, and their work has not begun: none counts as a try", async () => {
      await using replicated = await aReplicatedPipeline();
      const { pair, pipeline } = replicated;
      await using address = await reach(pair);
      const outbox = anOutbox();
      const gate = Promise.withResolvers<void>();
      let begun = 0;
      const gated: MailWork = async (...args) => {
        begun += 1;
        await gate.promise;
        return outbox.work(...args);
      };
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await pair.untilReplicated();
      await pair.cutOff();
      await pipeline.consumer(gated, { ...HOLD, databaseUrl: address.url });
      await eventually(() => begun === eventIds.length);
      await failOver(pair);
      address.move();
      await pipeline.consumer(outbox.work, { ...HOLD, databaseUrl: address.url });
      await addSecondEntries(pipeline, signups);
      await untilLeaseIsOver();
      gate.resolve();
      await expectUntouched(pipeline, eventIds, outbox.sent);
    });
  },
);

test("the standby has them, and a peer takes them over before their owner reaches it: what the peer held is sent once", async () => {
  await using replicated = await aReplicatedPipeline();
  const { pair, pipeline } = replicated;
  await using own = await aMovingPooler(pair);
  const outbox = anOutbox();
  const signups = someSignups();
  const eventIds = await pipeline.signUp(...signups);
  await pair.untilReplicated();
  await stallCommits(pair);
  await pipeline.consumer(outbox.work, { ...HOLD, databaseUrl: own.url });
  await untilClaimed(pair);
  await failOver(pair);
  await eventually(() => pipeline.status(eventIds[0] ?? "").catch(() => false as const));
  await pipeline.consumer(outbox.work, HOLD);
  await addSecondEntries(pipeline, signups);
  const states = () => Promise.all(eventIds.map(async (id) => (await pipeline.status(id))?.state));
  await eventually(async () => (await states()).every((state) => state === "held" || state === "done"));
  expect(await states()).toContain("held");
  // Its address was late.
  own.move();
  await expectUntouched(pipeline, eventIds, outbox.sent);
});

describe("claims in flight as PgBouncer fails", () => {
  /** Calls back when one of the events is named to PgBouncer for the first time, before it hears of it. */
  const aWatchedLinkTo = async (pooler: PgBouncer, eventIds: readonly string[], onNamed: () => void) => {
    let wasNamed = false;
    const link = await startProxy(Number(new URL(pooler.url).port), {
      rewrite: (sent) => {
        if (!wasNamed && eventIds.some((eventId) => sent.includes(eventId))) {
          wasNamed = true;
          onNamed();
        }
        return sent;
      },
    });
    const url = new URL(pooler.url);
    url.port = String(link.port);
    return { ...link, url: url.href };
  };

  test.each([
    ["nobody else is there", false],
    ["a peer takes them over", true],
  ])("killed while they wait for their commit, and started when their leases are over, %s", async (_, hasPeer) => {
    await using pipeline = await aPipeline();
    await using pooler = await startPgBouncer(pipeline.url);
    const one = await aStalledConsumer(pipeline, "active", { uncertain: "hold", databaseUrl: pooler.url });
    await pooler.kill();
    if (hasPeer) await aPeer(pipeline, one, { uncertain: "hold" });
    await untilLeaseIsOver();
    await one.stalled.end();
    await untilLeaseIsOver();
    await pooler.start();
    await expectUntouched(pipeline, one.eventIds, one.outbox.sent);
  });

  test.each([
    ["nobody else is there", false],
    ["a peer has the work by then", true],
  ])("sent on, and at Postgres when they were given up long ago, %s", async (_, hasPeer) => {
    await using pipeline = await aPipeline();
    await using link = await createLink("PgBouncer -> Postgres", Number(new URL(pipeline.url).port));
    const behind = new URL(pipeline.url);
    behind.port = String(link.port);
    await using pooler = await startPgBouncer(behind.href);
    const signups = someSignups();
    const outbox = anOutbox();
    const ids = signups.map(({ event }) => event.eventId);
    await using watched = await aWatchedLinkTo(pooler, ids, () => link.break("hang"));
    const { inFlight } = await pipeline.consumer(outbox.work, { ...HOLD, databaseUrl: watched.url });
    // From now on it is connected, and a statement without a name is sent at once.
    const [first = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await pipeline.status(first))?.state === "done");
    const eventIds = [first, ...(await pipeline.signUp(...signups))];
    await eventually(() => inFlight() > 0);
    await untilLeaseIsOver();
    if (hasPeer) await aPeer(pipeline, { outbox, signups }, { uncertain: "hold" });
    await untilLeaseIsOver();
    link.heal();
    await expectUntouched(pipeline, eventIds, outbox.sent);
  });
});
