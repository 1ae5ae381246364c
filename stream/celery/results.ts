import type { Redis } from "ioredis";
import { z } from "zod";
import { redisErrorCode } from "../connection.ts";
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
  /** Where results are. */
  readonly redis: Redis;
  /** Where else a worker may have its mark: the broker, if results are elsewhere. */
  readonly marksIn?: Redis;
  /** A `global_keyprefix`: the broker's, or the results' own. */
  readonly keyPrefix: string;
  /** What the key of a worker's own mark begins with; the id of the task follows. */
  readonly markPrefix: string;
}

export const openCeleryResults = ({ redis, marksIn, keyPrefix, markPrefix }: CeleryResultsOptions): CeleryResults => {
  // The code of the task decides where its mark is: in neither place does its absence say anything about the other.
  const places = marksIn === undefined ? [redis] : [redis, marksIn];
  // Celery joins its own `global_keyprefix` by an underscore.
  const prefixes = keyPrefix === "" ? [""] : ["", keyPrefix, `${keyPrefix}_`];
  const resultKeys = (id: string) => prefixes.map((prefix) => `${prefix}celery-task-meta-${id}`);
  const markKey = (id: string) => `${markPrefix}${id}`;

  const statusOf = (text: string | undefined): string | null => {
    if (text === undefined) return null;
    return resultSchema.safeParse(jsonOf(text)).data?.status ?? "unreadable";
  };

  /** A mark of any type is one, and only a text can be ours. */
  const markIn = async (place: Redis, id: string): Promise<string | null> =>
    place.get(markKey(id)).catch((error: unknown) => {
      if (redisErrorCode(error) === "WRONGTYPE") return "of another type";
      throw error;
    });

  const one = async (id: string): Promise<TaskEvidence> => {
    const [results, marks] = await Promise.all([
      redis.mget(...resultKeys(id)),
      Promise.all(places.map((place) => markIn(place, id))),
    ]);
    const result = results.find((text) => text !== null);
    return {
      status: statusOf(result ?? undefined),
      isMarked: marks.some((mark) => mark !== null && mark !== OURS),
    };
  };

  return {
    // One pipeline: the connection collects the commands of a turn.
    evidence: async (taskIds) =>
      new Map(await Promise.all([...new Set(taskIds)].map(async (id) => [id, await one(id)] as const))),
    async mark(taskIds) {
      const marked = places.flatMap((place) =>
        taskIds.map((id) => place.set(markKey(id), OURS, "EX", MARK_FOR_S, "NX")),
      );
      await Promise.all(marked);
    },
    async unmark(taskId) {
      for (const place of places) {
        if ((await markIn(place, taskId)) === OURS) await place.del(markKey(taskId));
      }
    },
  };
};
