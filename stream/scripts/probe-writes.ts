import type { Redis } from "ioredis";
import { redisErrorCode } from "../connection.ts";
import type { Keys } from "../keys.ts";
import { type RefusalCode, refusalOf } from "../refusals.ts";
import source from "./probe-writes.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** For what Redis refuses writes, though it answers; OOM: it is full. */
export type WritesRefusedFor = RefusalCode | "OOM";

const IS_FULL = /(?:^|[\s:-])OOM\s/;

const codeIn = (words: string): WritesRefusedFor | undefined => (IS_FULL.test(words) ? "OOM" : refusalOf(words));

/** No group has this name. */
const NOBODYS = "";

/**
 * Why Redis refuses writes; undefined: it takes them, or this login has no right to ask. Writes nothing, and ends the connection only where scripts are
 * refused as a whole (LOADING, MASTERDOWN).
 */
export const findWriteRefusal = async (redis: Redis, keys: Keys): Promise<WritesRefusedFor | undefined> => {
  try {
    return codeIn(String(await runScript(redis, script, [keys.retriesStream(NOBODYS)], [])));
  } catch (error) {
    if (!(error instanceof Error && error.name === "ReplyError")) throw error;
    const code = codeIn(error.message);
    if (code === undefined && redisErrorCode(error) !== "NOPERM") throw error;
    return code;
  }
};

/** Writes nothing either; a refusal makes the connection look for the server that takes writes (`createReconnectPolicy`). */
export const meetWriteRefusal = async (redis: Redis, keys: Keys): Promise<void> => {
  await redis.xadd(keys.retriesStream(NOBODYS), "NOMKSTREAM", "*", "probe", "1").catch(() => {});
};
