import type { Redis } from "ioredis";
import type { Entry } from "../entries.ts";
import source from "./claim.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** A pending entry that is not claimed like others: too many consumers have died with it. */
export interface Suspect {
  readonly stream: string;
  /** `<ms>-<seq>` */
  readonly id: string;
  /** That of the entry if it has none. */
  readonly eventId: string;
}

export interface ClaimedEntries {
  readonly entries: readonly Entry[];
  readonly suspects: readonly Suspect[];
  /** Ids of pending entries whose payload was trimmed, and which are acked. */
  readonly trimmed: readonly string[];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Claims entries of one stream that were not renewed for `minIdleMs`, at most `count`; suspects stay where they are. */
export const claimIdle = async (
  redis: Redis,
  args: {
    readonly group: string;
    readonly consumer: string;
    readonly stream: string;
    readonly minIdleMs: number;
    readonly count: number;
    /** Deliveries without an outcome after which an entry is a suspect. */
    readonly suspectAfter: number;
  },
): Promise<ClaimedEntries> => {
  const { group, consumer, stream, minIdleMs, count, suspectAfter } = args;
  const reply = listOf(
    await runScript(redis, script, [stream], [group, consumer, Math.ceil(minIdleMs), count, suspectAfter]),
  );
  return {
    entries: listOf(reply[0]).map((item) => {
      const [id, fields, deliveries, owner] = listOf(item);
      return {
        stream,
        id: String(id),
        raw: listOf(fields).map(String),
        deliveries: Number(deliveries),
        isTakenOver: owner !== consumer,
        deathsAlone: 0,
      };
    }),
    suspects: listOf(reply[1]).map((item) => {
      const [id, eventId] = listOf(item).map(String);
      return { stream, id: id ?? "", eventId: eventId || (id ?? "") };
    }),
    trimmed: listOf(reply[2]).map(String),
  };
};
