import type { Redis } from "ioredis";
import { type Entry, entriesOfRead } from "./entries.ts";
import { eventIdsIn } from "./publish.ts";

/**
 * Reads entries after an id as they come (XREAD ... BLOCK), on a connection of its own: the reader is in no group, and nobody else
 * gets fewer. Empty if there was none within `blockMs`.
 */
export const readAfter = async (
  redis: Redis,
  stream: string,
  { id, count, blockMs }: { readonly id: string; readonly count: number; readonly blockMs: number },
): Promise<readonly Entry[]> =>
  entriesOfRead(await redis.xread("COUNT", count, "BLOCK", blockMs, "STREAMS", stream, id));

/** A subscription is renewed so often, in ms. */
const RENEW_EVERY_MS = 4_000;

/** What becomes of a subscription. */
interface SubscriptionEvents {
  readonly onSubscribed?: () => void;
  /** At a connect; what becomes of the connection itself is logged by it. */
  readonly onFault?: (error: unknown) => void;
}

/**
 * Calls `onChange` with the id of each event of which a delivery changed its state, as long as the connection, which is its own,
 * is open. A hint to read the ledger: Redis does not keep what it publishes. Subscribes after each connect, and again every 4 s: who
 * only listens would never notice that a server has fallen silent, and is no primary any more.
 */
export const followChanges = (
  redis: Redis,
  channel: string,
  onChange: (eventId: string) => void,
  { onSubscribed = () => {}, onFault = () => {} }: SubscriptionEvents = {},
): void => {
  const subscribe = () => void redis.subscribe(channel).then(onSubscribed, onFault);
  if (redis.status === "ready") subscribe();
  redis.on("ready", subscribe);
  const renewal = setInterval(() => {
    // Without a reply the connection is closed, and opened again.
    if (redis.status === "ready") redis.subscribe(channel).catch(() => {});
  }, RENEW_EVERY_MS).unref();
  redis.on("end", () => clearInterval(renewal));
  redis.on("message", (_channel: string, message: string) => {
    for (const eventId of eventIdsIn(message)) onChange(eventId);
  });
};
