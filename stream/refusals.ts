import { backoffMs } from "../runtime/backoff.ts";

/**
 * Replies by which a server says that it is not, or not now, the one to write to: it was demoted (READONLY), is loading its data
 * (LOADING), has lost its primary (MASTERDOWN) or its replicas (NOREPLICAS), cannot write to its disk (MISCONF); or, in a cluster, serves
 * no slot (CLUSTERDOWN), does not serve this one (MOVED), or hands it over (ASK, TRYAGAIN). The command had no effect. ASK
 * is not followed: what it asks for would be done on a server that does not own the slot yet. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const CODES = [
  ...(["READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "MISCONF"] as const),
  ...(["CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN"] as const),
] as const;
export type RefusalCode = (typeof CODES)[number] | "UNBLOCKED";

/** At the beginning, or, of a script in Redis before 7.0, after a colon: `ERR Error running script (...): ...: -READONLY ...`. */
const REFUSAL = new RegExp(`(?:^|[\\s:-])(${CODES.join("|")})\\s`);
/** A server that is demoted ends blocked reads so. Where the stream is gone, the words are others. */
const DEMOTED = /^UNBLOCKED .*instance state changed/;

/** Which refusal an error of Redis is; undefined: none. */
export const refusalOf = (message: string): RefusalCode | undefined => {
  if (DEMOTED.test(message)) return "UNBLOCKED";
  const code = REFUSAL.exec(message)?.[1];
  return CODES.find((each) => each === code);
};

/** The login that the address has is wrong or disabled (WRONGPASS), or it has none (NOAUTH). */
export const loginRefusalOf = (message: string): string | undefined => /\b(WRONGPASS|NOAUTH)\b/.exec(message)?.[1];

/** Waits between reconnects of one connection, at least, in ms; doubles up to the second. */
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 4_000;
/** Without a refusal for this long, the next one is a new fault. */
const QUIET_MS = 30_000;

/** Of one connection: which refusals end in a reconnect. */
export interface ReconnectPolicy {
  /** Whether to reconnect because of this error. */
  shouldReconnect(message: string): boolean;
  /** Whether this connection was refused a short time ago. */
  isRefused(): boolean;
}

/**
 * The first refusal ends in a reconnect at once, and so in a new look-up of the address; the next ones after 0.25 to 0.5 s, 0.5
 * to 1 s, ... 2 to 4 s: as long as the address still leads to the same server, reconnecting does not help.
 */
export const createReconnectPolicy = (clock: {
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
}): ReconnectPolicy => {
  const { now, random } = clock;
  let reconnects = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let refusedAt = Number.NEGATIVE_INFINITY;
  const isRefused = () => now() - refusedAt < QUIET_MS;
  return {
    isRefused,
    shouldReconnect(message) {
      if (refusalOf(message) === undefined) return false;
      if (!isRefused()) {
        reconnects = 0;
        notBefore = Number.NEGATIVE_INFINITY;
      }
      refusedAt = now();
      if (now() < notBefore) return false;
      reconnects += 1;
      notBefore = now() + backoffMs(reconnects, FIRST_WAIT_MS, MAX_WAIT_MS, random);
      return true;
    },
  };
};
