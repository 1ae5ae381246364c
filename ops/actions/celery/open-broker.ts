import { readFileSync } from "node:fs";
import { parseRedisUrl } from "../../../settings/redis-url.ts";
import { KOMBU_SEPARATOR, openCeleryQueue } from "../../../stream/celery/broker.ts";
import { openCeleryResults } from "../../../stream/celery/results.ts";
import { openCommandConnection, untilReady } from "../../../stream/connection.ts";
import { QUIET } from "../../quiet.ts";
import { NotFound } from "../operator.ts";
import type { CeleryBroker } from "./importer.ts";

/** The broker does not answer. Exit 1. */
export class BrokerAway extends Error {
  override readonly name = "BrokerAway";
}

export interface BrokerOptions {
  /** As `REDIS_URL`, but no cluster; `@FILE` for the first line of a file, so that no password is on the command line. */
  readonly broker: string;
  /** Where results are; the broker if not given. */
  readonly results: string | undefined;
  readonly queue: string;
  readonly keyPrefix: string;
  /** kombu's `sep`; its own if not given. */
  readonly separator: string | undefined;
  /** Of the results; the broker's if not given. */
  readonly resultsKeyPrefix: string | undefined;
}

const CONNECT_WITHIN_MS = 5_000;
const COMMAND_TIMEOUT_MS = 10_000;
/** The old worker's own guard: the id of the task follows. */
const SENT_MARK = "email_sent:";

const urlOf = (given: string): string => {
  if (!given.startsWith("@")) return given;
  try {
    return readFileSync(given.slice(1), "utf8").split("\n")[0]?.trim() ?? "";
  } catch {
    throw new NotFound(`${given.slice(1)} cannot be read`);
  }
};

/** Of the URL of a Celery app, what of its parameters concerns the connection: redis-py's names. Certificates are always checked. */
const withoutCelerysWords = (text: string): string => {
  const url = new URL(text);
  const authorities = url.searchParams.get("ssl_ca_certs");
  if (authorities !== null) url.searchParams.set("sslrootcert", authorities);
  for (const name of ["ssl_ca_certs", "ssl_cert_reqs", "ssl_check_hostname"]) url.searchParams.delete(name);
  return url.href;
};

const connect = async (what: string, given: string) => {
  const text = urlOf(given);
  const isOfSentinels = parseRedisUrl(text)?.kind === "sentinel";
  if (!isOfSentinels && !(/^rediss?:\/\//.test(text) && URL.canParse(text))) {
    throw new BrokerAway(`${what}: expected redis://..., rediss://... or redis+sentinel://..., or @FILE with it`);
  }
  const url = isOfSentinels ? text : withoutCelerysWords(text);
  const redis = openCommandConnection({ url, name: "ops-import", log: QUIET, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  let fault = "no answer";
  redis.on("error", (error: Error) => {
    fault = error.message || fault;
  });
  if (await untilReady(redis, CONNECT_WITHIN_MS)) return redis;
  redis.disconnect();
  throw new BrokerAway(`${what} is away: ${fault}`);
};

/** Connects to the broker, and to where its results are. @throws {BrokerAway} */
export const openBroker = async (options: BrokerOptions): Promise<CeleryBroker & { readonly close: () => void }> => {
  const { queue, keyPrefix, separator = KOMBU_SEPARATOR, resultsKeyPrefix = keyPrefix } = options;
  const redis = await connect("the broker", options.broker);
  const own = options.results === undefined ? undefined : await connect("the result backend", options.results);
  return {
    queue: openCeleryQueue({ redis, queue, keyPrefix, separator, token: Bun.randomUUIDv7() }),
    results: openCeleryResults({
      redis: own ?? redis,
      ...(own === undefined ? {} : { marksIn: redis }),
      keyPrefix: resultsKeyPrefix,
      markPrefix: SENT_MARK,
    }),
    close() {
      redis.disconnect();
      own?.disconnect();
    },
  };
};
