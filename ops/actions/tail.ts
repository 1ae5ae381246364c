import type { Redis } from "ioredis";
import { findDeliveries } from "../../database/ledger/status.ts";
import { backoffMs } from "../../runtime/backoff.ts";
import { pause } from "../../runtime/loop.ts";
import { messageOf } from "../../runtime/message-of.ts";
import type { RedisAddress } from "../../stream/address.ts";
import { openBlockingConnection, untilReady } from "../../stream/connection.ts";
import { followChanges, readAfter } from "../../stream/follow.ts";
import type { Group } from "../../stream/groups.ts";
import { redisTimeMs } from "../../stream/watermark.ts";
import { QUIET } from "../quiet.ts";
import type { Operator } from "./operator.ts";
import { createShown, eventLine, inOrder, type TailLine } from "./tail-lines.ts";

export interface TailOptions {
  readonly operator: Pick<Operator, "db" | "redis" | "keys">;
  /** Those that are followed. */
  readonly groups: readonly Group[];
  /** Where its own connections lead: one that waits for entries or messages can do nothing else. */
  readonly redis: RedisAddress;
  /** Shows lines; the next are read when it resolves. */
  readonly show: (lines: readonly TailLine[]) => Promise<void>;
  /** For what keeps lines from being shown, and that it is over. */
  readonly say: (message: string) => void;
  readonly startedAt: Date;
  readonly signal: AbortSignal;
}

/** How long lines are gathered, so that they are shown in the order in which they happened. */
const GATHER_MS = 200;
const BLOCK_MS = 2_000;
const READY_WITHIN_MS = 2_000;
const COUNT = 500;
/** Hints and lines that wait at most; a burst beyond that is left out, and said to be. */
const MOST_WAITING = 10_000;

/** Says once that something is away, and once that it is back. */
const announcing = (store: string, say: (message: string) => void) => {
  let isAway = false;
  return {
    away(error: unknown) {
      if (!isAway) say(`${store} is away (${messageOf(error)}); waiting for it`);
      isAway = true;
    },
    back() {
      if (isAway) say(`${store} is back`);
      isAway = false;
    },
  };
};

/**
 * Follows what happens until it is stopped: new entries of the log, and each change of a delivery's state. Redis says what is new;
 * the ledger says what became of it. Outlives both: entries that were added meanwhile are shown when Redis is back, and their deliveries
 * with them.
 */
export const tail = async (options: TailOptions): Promise<void> => {
  const { operator, groups, show, say, startedAt } = options;
  const { db, redis, keys } = operator;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const shown = createShown(groups, startedAt);
  const hinted = new Set<string>();
  let lines: TailLine[] = [];
  let leftOut = 0;

  const hint = (eventId: string) => {
    if (hinted.size < MOST_WAITING) hinted.add(eventId);
    else leftOut += 1;
  };

  const readEvents = async (reader: Redis, from: string): Promise<void> => {
    const announce = announcing("Redis", say);
    let id = from;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (!(await untilReady(reader, READY_WITHIN_MS))) throw new Error("no connection");
        if (signal.aborted) return;
        const entries = await readAfter(reader, keys.events, { id, count: COUNT, blockMs: BLOCK_MS });
        announce.back();
        failures = 0;
        for (const entry of entries) {
          id = entry.id;
          const line = eventLine(entry, groups);
          if (line === undefined) continue;
          lines.push(line);
          hint(line.eventId);
        }
        while (lines.length > MOST_WAITING && !signal.aborted) await pause(GATHER_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        announce.away(error);
        failures += 1;
        await pause(backoffMs(failures, 100, 1_000, Math.random), signal);
      }
    }
  };

  const readChanges = async (): Promise<void> => {
    const ids = [...hinted].slice(0, COUNT);
    // Before the statement: what changes while it runs is read again.
    for (const id of ids) hinted.delete(id);
    try {
      lines.push(...shown.changes(await findDeliveries(db, ...ids)));
    } catch (error) {
      for (const id of ids) hint(id);
      throw error;
    }
  };

  const showAll = async (): Promise<void> => {
    const announce = announcing("Postgres", say);
    while (!signal.aborted) {
      await pause(GATHER_MS, signal);
      try {
        while (hinted.size > 0 && lines.length < MOST_WAITING) await readChanges();
        announce.back();
      } catch (error) {
        announce.away(error);
      }
      const ready = inOrder(lines);
      lines = [];
      if (ready.length > 0) await show(ready);
      if (leftOut > 0) say(`too much at once: changes of ${leftOut} events are left out`);
      leftOut = 0;
    }
  };

  const startMs = await redisTimeMs(redis);
  const connect = () => openBlockingConnection({ ...options.redis, name: "ops-tail", log: QUIET });
  const [reader, subscriber] = [connect(), connect()];
  followChanges(subscriber, keys.status, hint);
  const reading = readEvents(reader, `${startMs}-0`);
  try {
    await showAll();
  } finally {
    stopping.abort();
    // This ends the blocked read.
    reader.disconnect();
    subscriber.disconnect();
    await reading;
  }
};
