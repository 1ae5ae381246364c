import { jest } from "bun:test";
import { seededRandom } from "../../../tests/chaos/random.ts";
import { silentLog } from "../../../tests/pipeline.ts";
import { startSharing } from "../../engine/sharing.ts";
import { aTable, consume, type Guard } from "./limited-server-for-tests.ts";
import { createSmtpPool, type SmtpPool } from "./pool.ts";
import type { SmtpPoolOptions } from "./pool-options.ts";
import { passTime } from "./virtual-time-for-tests.ts";

/** A consumer with an endless backlog, of a group. */
interface Consuming extends Required<Pick<SmtpPoolOptions, "openSession">> {
  readonly group: string;
  /** Most connections. */
  readonly size: number;
  readonly onAccepted?: () => void;
  readonly onFailed?: () => void;
  readonly guardOf?: (pool: SmtpPool) => Guard;
  /** Ends it; the end of the run if not given. */
  readonly signal?: AbortSignal;
}

/** Groups that share a mail server, in virtual time. */
export interface SharingRun {
  /** Since the beginning. */
  readonly ms: () => number;
  start(consuming: Consuming): SmtpPool;
  /** Lets time pass until then. */
  until(ms: number): Promise<void>;
}

const target = { host: "mail.example", port: 25, tls: "none" } as const;

/** Runs it in virtual time, by chance that the seed determines; all consumers end with it. */
export const shareInVirtualTime = async <Result>(
  run: (sharing: SharingRun) => Promise<Result>,
  seed = 1,
): Promise<Result> => {
  jest.useFakeTimers();
  const stopping = new AbortController();
  try {
    const table = aTable();
    const { next: random } = seededRandom(seed);
    const startedAt = performance.now();
    const ms = () => performance.now() - startedAt;
    let pools = 0;
    return await run({
      ms,
      start({ group, size, openSession, signal = stopping.signal, guardOf, ...consuming }) {
        const { onAccepted = () => {}, onFailed = () => {} } = consuming;
        pools += 1;
        const pool = createSmtpPool({ server: target, size, sendDeadlineMs: 30_000, openSession, random });
        startSharing({ table, group, log: silentLog, signal }, { pool: `${group} ${pools}`, places: pool.places });
        const guarded = guardOf === undefined ? {} : { guard: guardOf(pool) };
        void consume(pool, { size, claimMs: 40, signal, onFailed, onAccepted, ...guarded });
        return pool;
      },
      until: (endMs) => passTime(endMs - ms()),
    });
  } finally {
    stopping.abort();
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};
