import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { Logger } from "../../observability/logger.ts";
import type { TraceHop } from "../../observability/messaging.ts";
import { faultsOf, pause } from "../../runtime/loop.ts";
import { createBlockingReader } from "../../stream/blocking-reader.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import type { AtCheckpoint } from "./checkpoint.ts";
import { createClaimer } from "./claimer.ts";
import { createDispatcher, type Handler } from "./dispatcher.ts";
import { finishWork, leaveNothingBehind } from "./drain.ts";
import { createHands } from "./hands.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { createLedger } from "./ledger.ts";
import { createObserver } from "./observe.ts";
import { startPromoter } from "./promoter.ts";
import { startReader } from "./reader.ts";
import { startReaper } from "./reaper.ts";
import { createSettler } from "./settler.ts";

export interface GroupDeps {
  readonly redis: Redis;
  /** Opens a connection of its own for blocking reads. */
  readonly connectBlocking: () => Redis;
  readonly db: Database;
  readonly keys: Keys;
  readonly handler: Handler;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly wallClock: () => Date;
  readonly random: () => number;
  readonly at: AtCheckpoint;
}

export interface GroupOptions {
  readonly group: Group;
  /** Unique per start. */
  readonly consumer: string;
  readonly concurrency: number;
  readonly claimMinIdleMs: number;
  readonly retryMax: number;
  readonly retryDelayMs: number;
  readonly uncertain: "resend" | "hold";
  readonly expireAfterMs: number;
  readonly drainTimeoutMs: number;
  /** How a consumer's span hangs on the producer's; `parent` if not given. */
  readonly traceHop?: TraceHop;
}

/** One consumer of one group, running. */
export interface RunningGroup {
  readonly name: string;
  /** Whether its loops make progress. */
  isLive(): boolean;
  /** "reading", "paused" or "stopping". */
  state(): "reading" | "paused" | "stopping";
  /** Whether the mail system is trusted; an open breaker is no fault of this process. */
  breaker(): BreakerState;
  /** What keeps its loops from their work now, by loop: a store that says no, and how. */
  faults(): Readonly<Record<string, string>>;
  /** Entries in hand. */
  inHand(): number;
  /** Stops reading, finishes or hands back what it holds, leaves the group. Bounded by the drain's time. */
  stop(): Promise<void>;
  /** Ends all loops at once and leaves everything as it is: for a process that must go. */
  abandon(): void;
}

/** Redis may be away when we leave; whoever comes next claims what is pending. */
const LEAVE_TIMEOUT_MS = 2_000;

/** Wires the parts of the engine for one group. Each part is a file of its name. */
export const startGroup = (deps: GroupDeps, options: GroupOptions): RunningGroup => {
  const { redis, connectBlocking, db, keys, handler, now, wallClock, random, at } = deps;
  const { group, consumer, concurrency, claimMinIdleMs, drainTimeoutMs } = options;
  const log = deps.log.child({ group: group.name, consumer });
  const abandoned = new AbortController();
  const abandon = abandoned.signal;

  const hop = options.traceHop ?? "parent";
  const observe = createObserver({ events: keys.events, group: group.name, consumer, hop, now });
  const hands = createHands(concurrency);
  const ledger = observe.ledger(
    createLedger(db, {
      template: group.template ?? group.name,
      consumer,
      leaseMs: claimMinIdleMs,
      expireAfterMs: options.expireAfterMs,
      uncertain: options.uncertain,
    }),
  );
  const breaker = new Breaker({
    concurrency,
    now,
    random,
    onChange: (state, reason) => {
      log[state === "open" ? "error" : "info"]({ breaker: state, reason }, `the breaker is ${state}: ${reason}`);
      if (state !== "open") return;
      for (const delivery of hands.deliveries()) if (!delivery.bodyStarted) delivery.giveUp.abort("breaker_open");
    },
  });
  const settling = { redis, keys, group, consumer, ledger, policy: options, random, wallClock, at, log, abandon };
  const settler = observe.settler(createSettler(settling));
  const delivering = { redis, keys, group, hands, ledger, settler, handler, breaker, around: observe.around };
  const dispatcher = observe.dispatcher(createDispatcher({ ...delivering, leaseMs: claimMinIdleMs, now, at, log }));
  const blocking = createBlockingReader({ connect: connectBlocking, commands: redis, group: group.name, consumer });
  const claimer = observe.claimer(
    createClaimer({ redis, keys, group: group.name, consumer, hands, log, now }, { claimMinIdleMs }),
  );

  const heartbeat = startHeartbeat({ redis, group: group.name, consumer, hands, ledger, log, now }, { claimMinIdleMs });
  const promoter = startPromoter({ redis, keys, group: group.name, log });
  const reaper = startReaper({ redis, keys, group: group.name, consumer, log });
  const reader = startReader(
    { redis, blocking, keys, group, consumer, hands, claimer, dispatcher, breaker, settler, log, now },
    { claimMinIdleMs },
  );
  const loops = [reader, heartbeat, promoter, reaper];
  let stopping = false;

  const stop = async () => {
    stopping = true;
    const drain = { redis, keys, group: group.name, consumer, hands, log };
    await Promise.all([reader.stop(), promoter.stop(), reaper.stop()]);
    await finishWork(drain, drainTimeoutMs);
    abandoned.abort();
    await heartbeat.stop();
    const leaving = leaveNothingBehind(drain).catch((error: unknown) => {
      log.warn({ error }, "could not leave the group in order; a peer will claim what is pending");
    });
    await Promise.race([leaving, pause(LEAVE_TIMEOUT_MS)]);
    blocking.close();
  };

  return {
    name: group.name,
    isLive: () => loops.every((loop) => loop.isLive()),
    faults: () => faultsOf(loops),
    state: () => (stopping ? "stopping" : reader.isPaused() ? "paused" : "reading"),
    breaker: () => breaker.state,
    inHand: () => hands.entries().length,
    stop,
    abandon: () => {
      abandoned.abort();
      blocking.close();
      void Promise.all(loops.map((loop) => loop.stop()));
    },
  };
};
