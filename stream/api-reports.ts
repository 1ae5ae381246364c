import type { Redis } from "ioredis";
import { z } from "zod";
import { redisErrorCode } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { redisTimeMs } from "./watermark.ts";

/** Of an older or newer version, a report may lack what this one knows: it is then as good as none. */
const schema = z.object({
  /** When it was written, in ms of Redis' clock. */
  atMs: z.number(),
  /** The machine, or the pod, that the api runs on. */
  host: z.string(),
  /** Postgres does not answer it, since when (ISO 8601, UTC), and the code by which it refuses connections. */
  postgres: z.object({ since: z.string(), refusal: z.string().optional() }).optional(),
  /** What Postgres refuses signups with, though it answers; ISO 8601, UTC. */
  refusal: z.object({ fault: z.string(), since: z.string(), at: z.string() }).optional(),
  /** What keeps background loops from their work, and since when, by loop. */
  loops: z.record(z.string(), z.string()),
});

/** What keeps an api from its work, as it says itself; one that is well gives its name and host alone. */
export type ApiReport = Readonly<z.infer<typeof schema>>;

/** A report, and whose it is. */
export interface ReportedApi extends ApiReport {
  readonly name: string;
}

/** A report that is older is not known to be true any more, in ms. */
const VALID_FOR_MS = 10_000;

/** Writes what keeps an api from its work, if anything does (TIME; HSET, PEXPIRE); to be repeated within 10 s. */
export const writeApiReport = async (
  redis: Redis,
  keys: Keys,
  name: string,
  report: Omit<ApiReport, "atMs">,
): Promise<void> => {
  const atMs = await redisTimeMs(redis);
  await Promise.all([
    redis.hset(keys.apis, name, JSON.stringify({ ...report, atMs })),
    redis.pexpire(keys.apis, VALID_FOR_MS),
  ]);
};

/** An api stops (HDEL). */
export const endApiReport = async (redis: Redis, keys: Keys, name: string): Promise<void> => {
  await redis.hdel(keys.apis, name);
};

const parsed = (text: string): ApiReport | undefined => {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

/** Of a login without the right to read them, such as one of another version's rights, there are none. */
const readAll = (redis: Redis, keys: Keys): Promise<Record<string, string>> =>
  redis.hgetall(keys.apis).catch((error: unknown) => {
    if (redisErrorCode(error) === "NOPERM") return {};
    throw error;
  });

/** What apis say of themselves now, by name (HGETALL, TIME). */
export const readApiReports = async (redis: Redis, keys: Keys): Promise<readonly ReportedApi[]> => {
  const [reports, nowMs] = await Promise.all([readAll(redis, keys), redisTimeMs(redis)]);
  return Object.entries(reports)
    .flatMap(([name, text]): ReportedApi[] => {
      const report = parsed(text);
      return report === undefined || Math.abs(nowMs - report.atMs) > VALID_FOR_MS ? [] : [{ ...report, name }];
    })
    .sort((left, right) => left.name.localeCompare(right.name));
};
