import type { Redis } from "ioredis";
import type { Entry } from "./entries.ts";

/** Entries of a stream between two ids, both included, oldest first and in pages (XRANGE). `-` and `+` are its ends. */
export async function* logPages(
  redis: Redis,
  stream: string,
  range: { readonly from: string; readonly to: string },
  pageSize: number,
): AsyncGenerator<readonly Entry[]> {
  let from = range.from;
  for (;;) {
    const page = await redis.xrange(stream, from, range.to, "COUNT", pageSize);
    if (page.length > 0) yield page.map(([id, raw]) => ({ stream, id, raw, deliveries: 0 }));
    const end = page.at(-1);
    if (end === undefined || page.length < pageSize) return;
    from = `(${end[0]}`;
  }
}

/** The id of the newest entry of a stream; undefined if it is empty. */
export const newestEntryId = async (redis: Redis, stream: string): Promise<string | undefined> =>
  (await redis.xrevrange(stream, "+", "-", "COUNT", 1))[0]?.[0];

/** Puts copies of entries into a stream, in their order and in one pipeline (XADD). */
export const putInLine = async (
  redis: Redis,
  stream: string,
  entries: readonly (readonly string[])[],
): Promise<void> => {
  await Promise.all(entries.map((fields) => redis.xadd(stream, "*", ...fields)));
};
