import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import type { Keys } from "../../stream/keys.ts";
import { forgetProbes, type ProbePermit, takeProbe } from "../../stream/probes.ts";
import type { Breaker } from "./breaker.ts";

export interface ProbesDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly breaker: Pick<Breaker, "needsPermit" | "permit" | "refusePermit">;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** Permits for probes that may do harm: one for all consumers of a group. */
export interface Probes {
  /** Asks for a permit, if the breaker needs one. */
  ask(): Promise<void>;
  /** The system works again. */
  work(): void;
}

const FIRST_MS = 4_000;
const LONGEST_MS = 120_000;

/** How long after the nth question in a row nobody asks, in ms. Pure. 4, 8, 16, 32, 64, 120, 120 s: five or six in two minutes. */
export const harmfulProbeEveryMs = (asked: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** (Math.max(1, Math.min(asked, 30)) - 1));

/**
 * Whoever is refused learns how often the others have asked, so that it goes on from there. Who gets no answer from Redis, or an error, as of
 * a right that is not granted yet, keeps to the same times by itself.
 */
export const createProbes = ({ redis, keys, group, breaker, log, now }: ProbesDeps): Probes => {
  const key = keys.probes(group);
  let known = 0;
  /** Monotonic, ms: the end of the permit that it took by itself. */
  let ownUntil = Number.NEGATIVE_INFINITY;
  let isAlone = false;

  const takeOwn = (forMs: number): ProbePermit => {
    if (now() < ownUntil) return { kind: "refused", asked: known, forMs: ownUntil - now() };
    ownUntil = now() + forMs;
    return { kind: "given" };
  };

  const take = async (asked: number, forMs: number): Promise<ProbePermit> => {
    try {
      const permit = await takeProbe(redis, key, { asked, forMs });
      isAlone = false;
      return permit;
    } catch (error) {
      if (!isAlone)
        log.warn({ error }, "permits for probes are not to be had; this consumer probes as rarely by itself");
      isAlone = true;
      return takeOwn(forMs);
    }
  };

  return {
    async ask() {
      if (!breaker.needsPermit) return;
      const asked = known + 1;
      const forMs = harmfulProbeEveryMs(asked);
      const permit = await take(asked, forMs);
      if (permit.kind === "given") {
        known = asked;
        return breaker.permit(forMs);
      }
      known = Math.max(known, permit.asked);
      breaker.refusePermit(permit.forMs);
    },
    work() {
      if (known === 0) return;
      known = 0;
      ownUntil = Number.NEGATIVE_INFINITY;
      void forgetProbes(redis, key).catch((error: unknown) => {
        log.warn({ error }, "peers ask a system that works again only when their time is over");
      });
    },
  };
};
