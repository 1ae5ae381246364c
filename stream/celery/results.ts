import type { Redis } from "ioredis";
import { z } from "zod";
import { jsonOf } from "./message.ts";

/** What the result backend and a worker's own mark say of a task. */
export interface TaskEvidence {
  /** Celery's state (`SUCCESS`, `FAILURE`, `RETRY`, `STARTED`, ...); null: no result; `unreadable`: it is not in JSON. */
  readonly status: string | null;
  /** Whether a worker has marked its work as done. */
  readonly isMarked: boolean;
}

/** The results of Celery on Redis. */
export interface CeleryResults {
  evidence(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskEvidence>>;
  /** Marks tasks as done, unless they are: a worker that still has one in memory, and asks for the mark, leaves it. */
  mark(taskIds: readonly string[]): Promise<void>;
  /** Takes our own mark away. */
  unmark(taskId: string): Promise<void>;
}

/** What our own mark says: it is no evidence. */
const OURS = "signup-stream";
const MARK_FOR_S = 7 * 24 * 3_600;
const resultSchema = z.object({ status: z.string() });

export interface CeleryResultsOptions {
  readonly redis: Redis;
  /** kombu's `global_keyprefix`. */
  readonly keyPrefix: string;
  /** What the key of a worker's own mark begins with; the id of the task follows. */
  readonly markPrefix: string;
}

export const openCeleryResults = ({ redis, keyPrefix, markPrefix }: CeleryResultsOptions): CeleryResults => {
  // Celery joins its own `global_keyprefix` by an underscore.
  const prefixes = keyPrefix === "" ? [""] : ["", keyPrefix, `${keyPrefix}_`];
  const resultKeys = (id: string) => prefixes.map((prefix) => `${prefix}celery-task-meta-${id}`);
  const markKey = (id: string) => `${markPrefix}${id}`;

  const statusOf = (text: string | undefined): string | null => {
    if (text === undefined) return null;
    return resultSchema.safeParse(jsonOf(text)).data?.status ?? "unreadable";
  };

  const one = async (id: string): Promise<TaskEvidence> => {
    const [mark, ...results] = await redis.mget(markKey(id), ...resultKeys(id));
    const result = results.find((text) => text !== null);
    return { status: statusOf(result ?? undefined), isMarked: typeof mark === "string" && mark !== OURS };
  };

  return {
    // One pipeline: the connection collects the commands of a turn.
    evidence: async (taskIds) =>
      new Map(await Promise.all([...new Set(taskIds)].map(async (id) => [id, await one(id)] as const))),
    async mark(taskIds) {
      await Promise.all(taskIds.map((id) => redis.set(markKey(id), OURS, "EX", MARK_FOR_S, "NX")));
    },
    async unmark(taskId) {
      if ((await redis.get(markKey(taskId))) === OURS) await redis.del(markKey(taskId));
    },
  };
};
