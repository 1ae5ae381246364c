import type { Redis } from "ioredis";
import { z } from "zod";
import { matchesPattern } from "../routing.ts";
import { defineScript, runScript } from "../scripts/script.ts";
import { jsonOf } from "./message.ts";
import putBackSource from "./put-back.lua" with { type: "text" };
import takeSource from "./take.lua" with { type: "text" };

const takeScript = defineScript(takeSource);
const putBackScript = defineScript(putBackSource);

/** Where a message was seen. */
export type Place =
  /** `priority` 0 is the list without a suffix. */
  | { readonly kind: "list"; readonly priority: number }
  /** A worker has it, or had it when it died. `score`: when it took it, in s, as in the index; null: it is not there. */
  | { readonly kind: "unacked"; readonly tag: string; readonly score: string | null };

/** A message as it is in Redis. */
export interface FoundMessage {
  /** Identifies it: SHA-1 of the text. */
  readonly field: string;
  readonly text: string;
  readonly place: Place;
  /** Parsed from JSON; undefined: it is none. */
  readonly message: unknown;
  /** How long a worker has had it, in ms, by Redis' clock; 0 in a list. Infinity: not in the index. */
  readonly heldMs: number;
}

/** Another process imports from the queue, or took the lock over while this one was silent. */
export class NotAlone extends Error {
  override readonly name = "NotAlone";

  constructor() {
    super("another import of this queue runs, or was killed less than 30 s ago");
  }
}

/** One queue of Celery on Redis, as kombu lays it out. */
export interface CeleryQueue {
  /** @throws {NotAlone} */
  lock(): Promise<void>;
  unlock(): Promise<void>;
  /** What is in the lists, the highest priority and the oldest first. After each page it is told how many of it stay there. */
  waiting(pageSize: number, signal: AbortSignal): AsyncGenerator<readonly FoundMessage[], void, number>;
  /** What workers have not acknowledged. */
  unacked(pageSize: number): AsyncGenerator<readonly FoundMessage[]>;
  /** What was moved aside before, and is not finished. */
  aside(pageSize: number): AsyncGenerator<readonly FoundMessage[]>;
  /** Moves messages aside; those that were still there. @throws {NotAlone} */
  take(found: readonly FoundMessage[]): Promise<readonly FoundMessage[]>;
  /** @throws {NotAlone} */
  putBack(found: FoundMessage): Promise<void>;
  /** Forgets what was moved aside and is recorded. */
  finish(found: readonly FoundMessage[]): Promise<void>;
}

/** kombu's own `sep`: between a queue and a priority, and in the rows of its bindings. */
export const KOMBU_SEPARATOR = "\x06\x16";
/** kombu's `priority_steps` are 0, 3, 6, 9; others can be set. */
const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const LOCK_MS = 30_000;

const placeSchema = z.union([
  z.object({ kind: z.literal("list"), priority: z.int().min(0).max(9) }),
  z.object({ kind: z.literal("unacked"), tag: z.string(), score: z.string().nullable() }),
]);
const asideSchema = z.object({ text: z.string(), place: placeSchema });
/** Of a message that is not acknowledged: itself, its exchange, its routing key. */
const deliverySchema = z.tuple([z.unknown(), z.string(), z.string()]);

const fieldOf = (text: string): string => new Bun.CryptoHasher("sha1").update(text).digest("hex");

const inPages = function* <T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
};

const notAlone = (error: unknown): never => {
  throw error instanceof Error && error.message.startsWith("NOTALONE") ? new NotAlone() : error;
};

export interface CeleryQueueOptions {
  readonly redis: Redis;
  readonly queue: string;
  /** kombu's `global_keyprefix`. */
  readonly keyPrefix: string;
  /** kombu's `sep`. */
  readonly separator: string;
  /** Of this import: who has the lock. */
  readonly token: string;
}

export const openCeleryQueue = (options: CeleryQueueOptions): CeleryQueue => {
  const { redis, queue, keyPrefix, separator, token } = options;
  const listOf = (priority: number) => `${keyPrefix}${queue}${priority === 0 ? "" : `${separator}${priority}`}`;
  const asideKey = `${keyPrefix}signup-stream:import:${queue}`;
  const lockKey = `${asideKey}:lock`;
  const [unackedKey, indexKey] = [`${keyPrefix}unacked`, `${keyPrefix}unacked_index`];
  const lists = PRIORITIES.map(listOf);
  const bindings = new Map<string, Promise<readonly string[]>>();

  /** By kombu's table of bindings, which has a regular expression where the exchange is one of topics; else the routing key is the queue. */
  const leadsHere = async (exchange: string, routingKey: string): Promise<boolean> => {
    const known = bindings.get(exchange) ?? redis.smembers(`${keyPrefix}_kombu.binding.${exchange}`);
    bindings.set(exchange, known);
    const bound = (await known)
      .map((row) => row.split(separator))
      .filter(([key = "", topics]) => (topics ? matchesPattern(key, routingKey) : key === routingKey));
    return bound.length === 0 ? routingKey === queue : bound.some(([, , name]) => name === queue);
  };

  const nowMs = async (): Promise<number> => {
    const [seconds, micros] = await redis.time();
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  };

  const found = (text: string, place: Place, now: number): FoundMessage => {
    const delivery = place.kind === "list" ? undefined : deliverySchema.safeParse(jsonOf(text));
    const since = place.kind === "list" ? undefined : place.score;
    return {
      field: fieldOf(text),
      text,
      place,
      message: delivery === undefined ? jsonOf(text) : delivery.data?.[0],
      heldMs: since === undefined ? 0 : since === null ? Number.POSITIVE_INFINITY : now - Number(since) * 1_000,
    };
  };

  async function* pagesOf(key: string, pageSize: number): AsyncGenerator<readonly (readonly [string, string])[]> {
    let cursor = "0";
    do {
      const [next, flat] = await redis.hscan(key, cursor, "COUNT", pageSize);
      cursor = next;
      const pairs = flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ""] as const] : []));
      // A small hash comes as a whole, whatever COUNT says.
      yield* inPages(pairs, pageSize);
    } while (cursor !== "0");
  }

  const argumentsOf = ({ field, text, place }: FoundMessage): readonly string[] => [
    field,
    JSON.stringify({ text, place }),
    text,
    ...(place.kind === "list" ? [String(5 + place.priority), "", ""] : ["0", place.tag, place.score ?? ""]),
  ];

  return {
    async lock() {
      if ((await redis.set(lockKey, token, "PX", LOCK_MS, "NX")) === "OK") return;
      if ((await redis.get(lockKey)) !== token) throw new NotAlone();
      await redis.pexpire(lockKey, LOCK_MS);
    },
    async unlock() {
      if ((await redis.get(lockKey)) === token) await redis.del(lockKey);
    },
    async *waiting(pageSize, signal) {
      for (const priority of PRIORITIES) {
        const key = listOf(priority);
        // No further than what is there now: producers may be quicker.
        let left = await redis.llen(key);
        let passed = 0;
        while (left > 0 && !signal.aborted) {
          const size = Math.min(pageSize, left);
          const texts = await redis.lrange(key, -(passed + size), -(passed + 1));
          if (texts.length === 0) break;
          left -= texts.length;
          // The oldest is at the right end.
          const page = texts.toReversed().map((text) => found(text, { kind: "list", priority }, 0));
          passed += yield page;
        }
      }
    },
    async *unacked(pageSize) {
      for await (const page of pagesOf(unackedKey, pageSize)) {
        const [now, scores] = await Promise.all([
          nowMs(),
          Promise.all(page.map(([tag]) => redis.zscore(indexKey, tag))),
        ]);
        const own = await Promise.all(
          page.map(async ([tag, text], at): Promise<readonly FoundMessage[]> => {
            const { data: delivery } = deliverySchema.safeParse(jsonOf(text));
            if (delivery !== undefined && !(await leadsHere(delivery[1], delivery[2]))) return [];
            return [found(text, { kind: "unacked", tag, score: scores[at] ?? null }, now)];
          }),
        );
        yield own.flat();
      }
    },
    async *aside(pageSize) {
      for await (const page of pagesOf(asideKey, pageSize)) {
        const now = await nowMs();
        yield page.flatMap(([, value]) => {
          const { data } = asideSchema.safeParse(jsonOf(value));
          return data === undefined ? [] : [found(data.text, data.place, now)];
        });
      }
    },
    async take(messages) {
      if (messages.length === 0) return [];
      const keys = [asideKey, lockKey, unackedKey, indexKey, ...lists];
      const args = [token, LOCK_MS, ...messages.flatMap(argumentsOf)];
      const moved = z.array(z.number()).parse(await runScript(redis, takeScript, keys, args).catch(notAlone));
      return messages.filter((_, at) => moved[at] === 1);
    },
    async putBack({ field, text, place }) {
      const [target, tag, score] =
        place.kind === "list" ? [listOf(place.priority), "", ""] : [unackedKey, place.tag, place.score ?? ""];
      const args = [token, LOCK_MS, field, text, tag, score];
      await runScript(redis, putBackScript, [asideKey, lockKey, target, indexKey], args).catch(notAlone);
    },
    async finish(messages) {
      if (messages.length > 0) await redis.hdel(asideKey, ...messages.map(({ field }) => field));
    },
  };
};
