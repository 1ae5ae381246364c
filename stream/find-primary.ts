import { Redis, type RedisOptions } from "ioredis";
import { messageOf } from "../runtime/message-of.ts";
import type { HostAndPort, Login } from "../settings/redis-url.ts";

/** A server that does not answer within this time has nothing to say, in ms. */
const ANSWER_WITHIN_MS = 1_000;

/** How to ask a sentinel, or a node. */
export interface AskOptions extends Login {
  readonly tls?: RedisOptions["tls"];
}

/** Finds the primary: who it is changes at a failover. */
export type FindPrimary = () => Promise<HostAndPort>;

/** Runs one question on a connection of its own, which is closed in any case. */
const asking = async <T>(
  { host, port }: HostAndPort,
  options: AskOptions,
  question: (redis: Redis) => Promise<T>,
): Promise<T> => {
  const redis = new Redis({
    ...options,
    host,
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    retryStrategy: () => null,
    connectTimeout: ANSWER_WITHIN_MS,
    disableClientInfo: true,
  });
  let fault: Error | undefined;
  redis.on("error", (error: Error) => {
    fault = error;
  });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer")), ANSWER_WITHIN_MS);
  try {
    const answer = redis.connect().then(() => question(redis));
    return await Promise.race([answer, late]);
  } catch (error) {
    // The connection's own says why: a refused port, a wrong password, a certificate.
    throw fault ?? error;
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
};

/** Whom a sentinel takes for the primary. */
export const askSentinel = (sentinel: HostAndPort, options: AskOptions, master: string): Promise<HostAndPort> =>
  asking(sentinel, options, async (redis) => {
    const answer = await redis.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master);
    const [host, port] = Array.isArray(answer) ? answer.map(String) : [];
    if (host === undefined || port === undefined) throw new Error(`knows no master ${master}`);
    return { host, port: Number(port) };
  });

/** `MOVED 15218 10.0.0.7:6379`; without a host where the node knows none: then it is the host that was asked. */
const MOVED = /^MOVED \d+ (?<host>.*):(?<port>\d+)$/;

/**
 * Who serves the slot of a key, as a node of the cluster sees it. It is asked for the consumers of a group on that stream, which
 * every account of the pipeline may: who serves it answers, or knows no such stream, and any other names who does.
 */
export const askNode = (node: HostAndPort, options: AskOptions, stream: string): Promise<HostAndPort> =>
  asking(node, options, async (redis) => {
    try {
      await redis.xinfo("CONSUMERS", stream, "-");
    } catch (error) {
      const message = messageOf(error);
      const { host = "", port } = MOVED.exec(message)?.groups ?? {};
      if (port !== undefined) return { host: host === "" ? node.host : host, port: Number(port) };
      // ASK: it still serves the slot, whose keys are on their way to another.
      if (!/^(ERR no such key|NOGROUP|ASK) ?/.test(message)) throw error;
    }
    return node;
  });

/**
 * What most of those that are asked say, as soon as that is certain; else what most of those say that answer. One that is cut off
 * from the others may believe in a primary that is none any more.
 *
 * @throws {Error} with what is wrong with each, if none of them answers
 */
export const mostNamed = async (
  asked: readonly { readonly of: HostAndPort; readonly answer: Promise<HostAndPort> }[],
): Promise<HostAndPort> => {
  const named = new Map<string, { readonly primary: HostAndPort; count: number }>();
  const { promise: certain, resolve } = Promise.withResolvers<HostAndPort>();
  const answers = Promise.allSettled(
    asked.map(async ({ answer }) => {
      const primary = await answer;
      const key = `${primary.host} ${primary.port}`;
      const entry = named.get(key) ?? { primary, count: 0 };
      entry.count += 1;
      named.set(key, entry);
      if (entry.count * 2 > asked.length) resolve(primary);
    }),
  );
  const best = answers.then((results) => {
    const [most] = [...named.values()].sort((one, other) => other.count - one.count);
    if (most !== undefined) return most.primary;
    const faults = results.map((result, at) => {
      const { host, port } = asked[at]?.of ?? { host: "", port: 0 };
      return `${host}:${port}: ${result.status === "rejected" ? messageOf(result.reason) : ""}`;
    });
    throw new Error(`the primary is not known: ${faults.join("; ")}`);
  });
  return Promise.race([certain, best]);
};
