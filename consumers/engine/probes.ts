import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import type { Keys } from "../../stream/keys.ts";
import { forgetProbes, keepProbe, type ProbePermit, takeProbe } from "../../stream/probes.ts";
import type { Breaker } from "./breaker.ts";
import type { RunningAttempt } from "./in-flight.ts";

export interface ProbesDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly breaker: Pick<Breaker, "needsPermit" | "hasPermit" | "isHarmful" | "permit" | "refusePermit">;
  readonly inFlight: { readonly attempts: () => readonly Pick<RunningAttempt, "isProbe">[] };
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** Permits for probes that may do harm: one for all consumers of a group. */
export interface Probes {
  /** Asks for a permit, if the breaker needs one; keeps the one that it has, and says what came of it. To be called often. */
  ask(): Promise<void>;
  /** The system works again. */
  work(): void;
  /** A piece is done. The first one of a process shows others that the system works: it had to log in for it. */
  done(): void;
}

const FIRST_MS = 4_000;
const LONGEST_MS = 120_000;

/** How long after the nth question in a row nobody asks, in ms. Pure. 4, 8, 16, 32, 64, 120, 120 s: five or six in two minutes. */
export const harmfulProbeEveryMs = (asked: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** (Math.max(1, Math.min(asked, 30)) - 1));

/** Whoever has a permit and dies, or has nothing to ask with, keeps it from the others for so long. */
const PERMIT_MS = 10_000;
/** It is renewed while its probe is under way, once so much of it is left. */
const RENEW_AT_MS = 6_000;

/** A permit that was given, as its holder knows it. Times are monotonic, ms. */
interface Held {
  readonly givenAt: number;
  until: number;
  hasBegun: boolean;
}

/**
 * A permit lasts as long as its holder lives: some seconds, renewed while its probe is under way. Only a probe that was refused makes
 * everybody rest, for which its holder writes it down. Whoever is refused a permit learns how often the others have asked, so that it goes on
 * from there. Who gets no answer from Redis, or an error, as of a right that is not granted yet, keeps to the same times by itself.
 */
export const createProbes = ({ redis, keys, group, breaker, inFlight, log, now }: ProbesDeps): Probes => {
  const key = keys.probes(group);
  let known = 0;
  let held: Held | undefined;
  /** Monotonic, ms: until then it asks nothing without Redis. */
  let ownUntil = Number.NEGATIVE_INFINITY;
  let isAlone = false;
  let hasDone = false;

  /** With Redis, or without if that fails; says so once. */
  const tried = async <Answer>(call: Promise<Answer>, without: () => Answer): Promise<Answer> => {
    try {
      const answer = await call;
      isAlone = false;
      return answer;
    } catch (error) {
      if (!isAlone)
        log.warn({ error }, "permits for probes are not to be had; this consumer probes as rarely by itself");
      isAlone = true;
      return without();
    }
  };

  const takeOwn = (): ProbePermit =>
    now() < ownUntil ? { kind: "refused", asked: known, forMs: ownUntil - now() } : { kind: "given" };

  const keep = (asked: number, forMs: number) => tried(keepProbe(redis, key, { asked, forMs }), () => {});

  /** Its probe is under way: peers learn of it at once, for they might not look before they rest. */
  const renew = async (permit: Held): Promise<void> => {
    if (permit.hasBegun && permit.until - now() > RENEW_AT_MS) return;
    permit.hasBegun = true;
    permit.until = now() + PERMIT_MS;
    breaker.permit(PERMIT_MS);
    await keep(known + 1, PERMIT_MS);
  };

  /** What became of the permit that it has. */
  const follow = async (permit: Held): Promise<void> => {
    if (breaker.hasPermit) {
      const isProbing = inFlight.attempts().some(({ isProbe }) => isProbe);
      return isProbing ? renew(permit) : undefined;
    }
    held = undefined;
    // It had nothing to ask with, or an answer that does no harm.
    if (!breaker.isHarmful || (!permit.hasBegun && now() >= permit.until)) return;
    known += 1;
    ownUntil = permit.givenAt + harmfulProbeEveryMs(known);
    await keep(known, Math.max(1, ownUntil - now()));
  };

  const forget = (): void => {
    void forgetProbes(redis, key).catch((error: unknown) => {
      log.warn({ error }, "peers ask a system that works again only when their time is over");
    });
  };

  return {
    async ask() {
      if (held !== undefined) await follow(held);
      if (!breaker.needsPermit) return;
      const permit = await tried(takeProbe(redis, key, { asked: known, forMs: PERMIT_MS }), takeOwn);
      if (permit.kind === "given") {
        held = { givenAt: now(), until: now() + PERMIT_MS, hasBegun: false };
        return breaker.permit(PERMIT_MS);
      }
      known = Math.max(known, permit.asked);
      breaker.refusePermit(permit.forMs);
    },
    work() {
      if (known === 0 && held === undefined) return;
      known = 0;
      held = undefined;
      ownUntil = Number.NEGATIVE_INFINITY;
      forget();
    },
    done() {
      if (hasDone) return;
      hasDone = true;
      forget();
    },
  };
};
