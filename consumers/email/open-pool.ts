import type { Logger } from "../../observability/logger.ts";
import type { SettingsOf, SettingsWith } from "../../settings/load.ts";
import { policyOf } from "../engine/factory.ts";
import type { Capacity, Policy } from "../engine/handler.ts";
import { observedPool } from "./smtp/observe.ts";
import { createSmtpPool, type SmtpPool } from "./smtp/pool.ts";

/** Settings that every group that sends mail needs. */
export const MAIL_SETTINGS = ["MAIL_SERVER", "MAIL_FROM"] as const;

/** Time limit of one send, from its connection on; then the socket is closed, even if the server is still sending. */
const SEND_DEADLINE_MS = 30_000;
/** Seconds of mail at the server's pace that a consumer has in flight. */
const PACED_AHEAD_S = 2;

/** The pool of connections to the mail server of the settings. */
export const openMailPool = (
  settings: SettingsWith<"consumer", (typeof MAIL_SETTINGS)[number]>,
  log: Pick<Logger, "warn">,
): SmtpPool => {
  const { MAIL_USERNAME: username, MAIL_PASSWORD: password } = settings;
  const size = settings.MAIL_POOL_SIZE;
  const server = {
    host: settings.MAIL_SERVER,
    port: settings.MAIL_PORT,
    tls: settings.MAIL_TLS,
    ...(username === undefined || password === undefined ? {} : { username, password }),
  };
  const onCertificate = (certificate: string) =>
    log.warn(
      { server: `${server.host}:${server.port}`, certificate },
      "the mail server shows a certificate that is not valid",
    );
  const onOneByOne = () =>
    log.warn(
      { server: `${server.host}:${server.port}` },
      "the mail server offers PIPELINING, but answers no commands that are sent together; for an hour they are sent one by one",
    );
  const pool = createSmtpPool({ server, size, sendDeadlineMs: SEND_DEADLINE_MS, onCertificate, onOneByOne });
  return observedPool(pool, server, size);
};

/**
 * Mails that wait for a connection, in seconds of mail: as long as it may take to record mails and to claim the next ones, also on a
 * busy machine. Reckoned by how long a mail takes, not by how many are sent: where connections idle, that is what is to be mended.
 */
const AHEAD_S = 0.5;

/** The same, as a share of the connections that are granted: before it is known how long a mail takes, and where it takes long. */
const AHEAD = 0.5;
/** Where all are granted, up to so many, less than one for each: enough to record and to claim them in batches. */
const AHEAD_FOR_BATCHES = 64;

/** What waits where all connections are granted, while it is not known how long a mail takes. */
const aheadOfAll = (connections: number): number =>
  Math.max(AHEAD * connections, Math.min(AHEAD_FOR_BATCHES, connections - 1));

/** Mails in flight in one consumer: one for each connection, and what waits for them. */
export const mailsInFlight = (connections: number): number => connections + Math.floor(aheadOfAll(connections));

/** The policy of a group that sends mail; a group overrides what differs. */
export const mailPolicyOf = (settings: SettingsOf<"consumer">): Policy => {
  const connections = settings.MAIL_POOL_SIZE;
  const concurrency = Math.max(settings.CONSUMER_CONCURRENCY, mailsInFlight(connections));
  return {
    ...policyOf(settings),
    concurrency,
    ahead: concurrency - connections,
    expireAfterMs: settings.MAIL_EXPIRE_AFTER_MS,
    uncertain: settings.MAIL_UNCERTAIN,
  };
};

/** What the mail server grants, for the engine: connections, and the mails that wait for them. */
export const capacityOf = (
  pool: Pick<SmtpPool, "granted" | "isLimited" | "perSecond" | "possiblePerSecond" | "words"> &
    Partial<Pick<SmtpPool, "nothingForMs" | "isFull" | "refusal" | "heed" | "places" | "lead">>,
  size: number,
): Capacity => ({
  allowed: (isInDoubt = false) => {
    const [granted, perSecond] = [pool.granted(), pool.perSecond()];
    const unknown = granted < size ? AHEAD * granted : aheadOfAll(granted);
    const known = isInDoubt ? 0 : AHEAD_S * pool.possiblePerSecond();
    const byConnections = granted + Math.ceil(Math.max(unknown, known));
    const byPace = perSecond === undefined ? Number.POSITIVE_INFINITY : 1 + Math.ceil(perSecond * PACED_AHEAD_S);
    return Math.min(byConnections, byPace);
  },
  isLimited: () => pool.isLimited() || pool.perSecond() !== undefined,
  words: pool.words,
  refusal: () => pool.refusal?.(),
  nothingForMs: () => pool.nothingForMs?.(),
  isFull: () => pool.isFull?.() === true,
  turnMs: () => 1_000 / (pool.perSecond() ?? Number.POSITIVE_INFINITY),
  ...(pool.heed === undefined ? {} : { heed: pool.heed }),
  ...(pool.places === undefined ? {} : { places: pool.places }),
  ...(pool.lead === undefined ? {} : { lead: pool.lead }),
});
