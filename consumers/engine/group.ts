import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { pausesOf } from "../../database/groups/pauses.ts";
import { ratesOf } from "../../database/groups/rates.ts";
import type { Logger } from "../../observability/logger.ts";
import type { TraceHop } from "../../observability/messaging.ts";
import { createCallWatch } from "../../runtime/call-watch.ts";
import { faultsOf, pause } from "../../runtime/loop.ts";
import { createBlockingReader } from "../../stream/blocking-reader.ts";
import type { ConsumerReport } from "../../stream/consumer-report.ts";
import { budgetOf } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { createPauseCheck, pauseGroup } from "../../stream/pauses.ts";
import { createStatePublisher } from "../../stream/publish.ts";
import { createRateCheck } from "../../stream/rates.ts";
import { createAdmission } from "./admission.ts";
import type { AroundAttempt } from "./attempt.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import type { AtCheckpoint } from "./checkpoint.ts";
import type { PreparedEntry } from "./choose.ts";
import { createClaimer } from "./claimer.ts";
import { createCountDeaths } from "./count-deaths.ts";
import { createDispatcher } from "./dispatcher.ts";
import { Doubt } from "./doubt.ts";
import { finishWork, leaveNothingBehind, releaseKept } from "./drain.ts";
import { Finished } from "./finished.ts";
import { createGatherer } from "./gather.ts";
import type { GroupBudget, GroupDefinition } from "./handler.ts";
import { startHastener } from "./hastener.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { createInFlight } from "./in-flight.ts";
import { createIsolation } from "./isolation.ts";
import { createLedger } from "./ledger.ts";
import { startLookingAgain } from "./look-again.ts";
import { createLookAhead } from "./look-ahead.ts";
import { createObserver } from "./observe.ts";
import { watchOutages } from "./outages.ts";
import { Parties } from "./parties.ts";
import { createProbes } from "./probes.ts";
import { startPromoter } from "./promoter.ts";
import { createQuotas } from "./quotas.ts";
import { startReader } from "./reader.ts";
import { startReaper } from "./reaper.ts";
import { createReport, type Granted, grantedBy } from "./report.ts";
import { createSettler } from "./settler.ts";
import { createSkipper } from "./skipper.ts";
import { toDoAbout } from "./sort-entry.ts";
import { startUnclaimer } from "./unclaimer.ts";
import { watchLedger } from "./watch-ledger.ts";
import { startWithPeers } from "./with-peers.ts";
import { createWorkSlots } from "./work-slots.ts";

export interface GroupDeps {
  readonly redis: Redis;
  /** Opens a connection of its own for blocking reads. */
  readonly connectBlocking: () => Redis;
  readonly db: Database;
  readonly keys: Keys;
  /** Every event type of this code. */
  readonly knownTypes: readonly string[];
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly wallClock: () => Date;
  readonly random: () => number;
  readonly at: AtCheckpoint;
}

export interface GroupOptions {
  /** Unique per start. */
  readonly consumer: string;
  readonly claimMinIdleMs: number;
  readonly drainTimeoutMs: number;
  /** How a consumer's span refers to the producer's; `parent` if not given. */
  readonly traceHop?: TraceHop;
}

/** One consumer of one group, running. */
export interface RunningGroup {
  readonly name: string;
  /** Maximum entries in flight. */
  readonly concurrency: number;
  /** Whether its loops make progress. */
  isLive(): boolean;
  state(): "reading" | "paused" | "stopping";
  /** State of the breaker; open means that another system fails, not this process. */
  breaker(): BreakerState;
  /** Parties that wait by themselves. */
  waitingParties(): number;
  /** Pieces that the other system has room for, and its last words about its limit; undefined if it set none. */
  granted(): Granted | undefined;
  /** Pieces of work a second that its budget allows all consumers together; undefined without such a limit. */
  ratePerSecond(): number | undefined;
  /** What keeps it from its work now, and since when: by loop, and by call to the ledger. */
  faults(): Readonly<Record<string, string>>;
  /** Entries in flight. */
  inFlight(): number;
  /** Entries that were read, and wait until others of their kind are accepted, or a place is left over. */
  kept(): number;
  /** All of it, as it is written to Redis with each sign of life. */
  report(): ConsumerReport;
  /** Stops reading, finishes or releases the entries in flight, and leaves the group, within the drain time. */
  stop(): Promise<void>;
  /** Ends all loops at once and writes nothing more: as if the process had died. */
  abandon(): void;
}

/** Where neither the group nor an operator says otherwise. */
const UNLIMITED: GroupBudget = { limits: { perSecond: 0, perDay: 0 }, priority: 0 };

/** Time limit for leaving the group; a peer claims what is still pending. */
const LEAVE_TIMEOUT_MS = 2_000;

/** Wires the parts of the engine for one group. Each part is in the file of its name. */
export const startGroup = <Data, Input>(
  deps: GroupDeps,
  definition: GroupDefinition<Data, Input>,
  { consumer, claimMinIdleMs, drainTimeoutMs, traceHop = "parent" }: GroupOptions,
): RunningGroup => {
  const { redis, connectBlocking, db, keys, knownTypes, now, wallClock, random, at } = deps;
  const { group, policy, budget = UNLIMITED, capacity } = definition;
  const { concurrency, isIdempotent, oncePerSubject, uncertain, expireAfterMs } = policy;
  const log = deps.log.child({ group: group.name, consumer });
  const abandoned = new AbortController();
  const abandon = abandoned.signal;

  const pauses = pausesOf(db);
  const names = { group: group.name, consumer };
  const finished = new Finished();
  const onDone = (ms: number) => {
    finished.add(ms);
    probes.done();
  };
  const observe = createObserver({ ...names, events: keys.events, hop: traceHop, isIdempotent, now, onDone });
  const inFlight = createInFlight(concurrency);
  const gatherer = createGatherer({ concurrency, ahead: policy.ahead ?? 0, now });
  const leasing = { ...names, leaseMs: claimMinIdleMs, expireAfterMs };
  const watch = createCallWatch({ wallClock });
  const asked = observe.ledger(createLedger(db, { ...leasing, wallClock, isIdempotent, oncePerSubject, uncertain }));
  const ledger = watchLedger(asked, watch, gatherer.outcome);
  const startedAt = wallClock().toISOString();
  let breakerSince = startedAt;
  const breaker = new Breaker({
    concurrency,
    capacity: capacity && (() => capacity.allowed(doubt.isVain)),
    isFull: () => capacity?.isFull?.() === true,
    now,
    random,
    onChange: (state, reason) => {
      breakerSince = wallClock().toISOString();
      log[state === "open" ? "error" : "info"]({ breaker: state, reason }, `the breaker is ${state}: ${reason}`);
      if (state !== "open") probes.work();
      // Else work goes on while it is open.
      if (state !== "open" || breaker.allowance() > 0) return;
      for (const attempt of inFlight.attempts()) if (!attempt.isCommitted) attempt.giveUp.abort("breaker_open");
    },
  });
  const probes = createProbes({ redis, keys, group: group.name, breaker, inFlight, log, now });
  const parties = new Parties({
    now,
    random,
    onChange: (party, isWaiting, reason) => {
      const words = isWaiting ? "refuses or defers everything; what is for it waits" : "does not wait any more";
      log[isWaiting ? "error" : "info"]({ party, reason }, `a party ${words}: ${reason}`);
    },
  });
  const allowance = () => Math.min(concurrency, breaker.allowance());
  const doubt = new Doubt(allowance, now, { concurrency, ahead: policy.ahead ?? 0 });
  const lookAhead = createLookAhead<PreparedEntry<Data, Input>>({ doubt, allowance, now });
  capacity?.heed?.(() => lookAhead.kept() > 0);
  const budgetName = budgetOf(group);
  const admission = createAdmission({ ...names, redis, keys, now, log }, { ...budget, name: budgetName });
  const publishState = createStatePublisher(redis, keys.status);
  const promoter = startPromoter({ redis, keys, group: group.name, log, now });
  const hastening = { redis, keys, group: group.name, ledger, breaker, log, now, wallClock, random };
  const hastener = startHastener({ ...hastening, onHastened: () => promoter.expect(0) });
  const unclaimer = startUnclaimer({ redis, keys, group: group.name, ledger, log, now });
  const settling = {
    ...{ redis, keys, group, consumer, ledger, unclaimer, watch, publishState, onDelayed: promoter.expect },
    ...{ policy, random, wallClock, at, log, abandon },
  };
  const settler = observe.settler(createSettler(settling));
  const outages = watchOutages(redis, now);
  const claiming = { ...names, redis, keys, inFlight, outages, log, now };
  const claimer = observe.claimer(createClaimer(claiming, { claimMinIdleMs }));
  const isolation = observe.isolation(createIsolation({ ...claiming, claimer, random }, { claimMinIdleMs }));
  const slots = createWorkSlots(concurrency);
  const around: AroundAttempt = (attempt, work) =>
    slots.run(attempt.giveUp.signal, () =>
      observe.around(attempt, () => isolation.around(attempt, () => gatherer.timed(work))),
    );
  const deaths = createCountDeaths({ ...names, redis, log });
  const working = {
    redis,
    keys,
    definition,
    inFlight,
    breaker,
    parties,
    doubt,
    lookAhead,
    deaths,
    quotas: createQuotas({ redis, keys, group: group.name, log }),
    admission,
    hastener,
    settler,
    publishState,
    around,
    pauseGroup: async (reason: string) =>
      (await pauseGroup({ pauses, redis, keys }, { group: group.name, reason, by: consumer })).changed,
    now,
    wallClock,
    random,
    at,
    log,
  };
  const leases = { ledger, unclaimer, leaseMs: claimMinIdleMs, newToken: () => Bun.randomUUIDv7() };
  const dispatcher = observe.dispatcher(createDispatcher({ ...working, ...leases, knownTypes }));
  const blocking = createBlockingReader({ ...names, connect: connectBlocking, commands: redis });

  const toDo = toDoAbout({ patterns: group.types, knownTypes, data: definition.data }, group.delayMs);
  const where = { redis, stream: keys.events, group: group.name, retrySet: keys.retrySet(group.name) };
  const skipper = createSkipper({ ...where, toDo, delayMs: group.delayMs ?? 0, now, random, log });
  const reaper = startReaper({ ...names, redis, keys, log });
  const reader = startReader(
    {
      ...claiming,
      ...{ blocking, group, isolation, dispatcher, breaker, lookAhead, admission, probes, settler, gatherer, skipper },
      claimer,
      checkPaused: createPauseCheck({ pauses, redis, keys }, group.name),
      checkRate: createRateCheck({ rates: ratesOf(db), redis, keys }, budgetName),
    },
    { claimMinIdleMs, concurrency },
  );
  const withPeers = startWithPeers({ redis, keys, log, signal: abandon }, { ...names, capacity });
  const lookingAgain = startLookingAgain(definition, { inFlight, log });
  const loops = [reader, promoter, hastener, reaper, unclaimer, lookingAgain, ...withPeers.loops];
  let stopping = false;

  const state = () => (stopping ? "stopping" : reader.isPaused() ? "paused" : "reading");
  const granted = () => grantedBy(capacity);
  const faults = () => ({ ...faultsOf(loops), ...watch.faults() });
  const reporting = { inFlight, concurrency, breaker, breakerSince: () => breakerSince, admission, parties };
  const report = createReport({ ...reporting, startedAt, state, system: definition.system, granted, faults });
  const heartbeat = startHeartbeat({ ...claiming, ledger, report, finished }, { claimMinIdleMs });
  loops.push(heartbeat);

  const stop = async () => {
    stopping = true;
    const drain = { ...names, redis, keys, inFlight, ledger, log };
    const ended = [reader, promoter, hastener, reaper, lookingAgain, ...withPeers.loops];
    await Promise.all(ended.map((loop) => loop.stop()));
    const kept = lookAhead.letGo().map(({ entry }) => entry);
    // What is released carries the deaths that its counter tells of.
    deaths.begin(kept);
    const released = releaseKept(drain, kept).catch((error: unknown) => {
      log.warn({ error }, "what was kept is not released yet; it is once more when the group is left");
    });
    await Promise.all([finishWork(drain, drainTimeoutMs), Promise.race([released, pause(LEAVE_TIMEOUT_MS)])]);
    abandoned.abort();
    const asked = unclaimer.askOnceMore().catch((error: unknown) => {
      log.warn({ error }, "could not undo claims under which nothing was begun; they count as tries");
    });
    // Its statement may wait for a ledger that is away.
    const unclaimed = Promise.race([asked, pause(LEAVE_TIMEOUT_MS)]).then(() => void unclaimer.stop());
    await heartbeat.stop();
    const leaving = Promise.all([leaveNothingBehind(drain), admission.giveBack(0), withPeers.leave()]).catch(
      (error: unknown) => {
        log.warn({ error }, "could not leave the group; a peer will claim the pending entries");
      },
    );
    await Promise.all([unclaimed, Promise.race([leaving, pause(LEAVE_TIMEOUT_MS)])]);
    blocking.close();
  };

  return {
    name: group.name,
    concurrency,
    isLive: () => loops.every((loop) => loop.isLive()),
    faults,
    state,
    breaker: () => breaker.state,
    waitingParties: () => parties.waiting(),
    granted,
    ratePerSecond: () => admission.ratePerSecond,
    inFlight: () => inFlight.size(),
    kept: () => inFlight.kept(),
    report,
    stop,
    abandon: () => {
      abandoned.abort();
      blocking.close();
      void Promise.all(loops.map((loop) => loop.stop()));
    },
  };
};
