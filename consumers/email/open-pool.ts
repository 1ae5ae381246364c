import type { SettingsOf, SettingsWith } from "../../settings/load.ts";
import { policyOf } from "../engine/factory.ts";
import type { Capacity, Policy } from "../engine/handler.ts";
import { observedPool } from "./smtp/observe.ts";
import { createSmtpPool, type SmtpPool } from "./smtp/pool.ts";

/** Settings that every group that sends mail needs. */
export const MAIL_SETTINGS = ["MAIL_SERVER", "MAIL_FROM"] as const;

/** Time limit of one send, connecting included; then the socket is closed, even if the server is still sending. */
const SEND_DEADLINE_MS = 30_000;
/** Seconds of mail at the server's pace that a consumer has in flight. */
const PACED_AHEAD_S = 2;

/** The pool of connections to the mail server of the settings. */
export const openMailPool = (settings: SettingsWith<"consumer", (typeof MAIL_SETTINGS)[number]>): SmtpPool => {
  const { MAIL_USERNAME: username, MAIL_PASSWORD: password, MAIL_POOL_SIZE: size } = settings;
  const server = {
    host: settings.MAIL_SERVER,
    port: settings.MAIL_PORT,
    tls: settings.MAIL_TLS,
    ...(username === undefined || password === undefined ? {} : { username, password }),
  };
  return observedPool(createSmtpPool({ server, size, sendDeadlineMs: SEND_DEADLINE_MS }), server, size);
};

/**
 * Mails that wait for a connection, as a share of the connections that are granted: one that is free need not wait until its next mail
 * is claimed.
 */
const AHEAD = 0.5;

/** The same, in seconds of mail: about what it takes to record a mail and to claim the next one on a busy machine. */
const AHEAD_S = 0.2;

/** Up to so many wait where all connections are granted, less than one for each: enough to record and to claim them in batches. */
const AHEAD_FOR_BATCHES = 64;

/** Mails in flight in one consumer: as many as the settings say, and what waits for a connection. */
const mailsInFlight = (settings: SettingsOf<"consumer">): number => {
  const { CONSUMER_CONCURRENCY: concurrency, MAIL_POOL_SIZE: size } = settings;
  const connections = Math.min(concurrency, size);
  const ahead = Math.max(Math.floor(AHEAD * connections), Math.min(AHEAD_FOR_BATCHES, connections - 1));
  return Math.max(concurrency, connections + ahead);
};

/** The policy of a group that sends mail; a group overrides what differs. */
export const mailPolicyOf = (settings: SettingsOf<"consumer">): Policy => ({
  ...policyOf(settings),
  concurrency: mailsInFlight(settings),
  ahead: Math.max(0, mailsInFlight(settings) - settings.MAIL_POOL_SIZE),
  expireAfterMs: settings.MAIL_EXPIRE_AFTER_MS,
  uncertain: settings.MAIL_UNCERTAIN,
});

/** What the mail server grants, for the engine: connections, and the mails that wait for them. */
export const capacityOf = (
  pool: Pick<SmtpPool, "granted" | "isLimited" | "perSecond" | "acceptedPerSecond" | "words">,
  size: number,
): Capacity => ({
  allowed: () => {
    const [granted, perSecond] = [pool.granted(), pool.perSecond()];
    // None is granted: what was accepted before is of no use.
    const ahead = granted === 0 ? 0 : Math.max(AHEAD * granted, AHEAD_S * pool.acceptedPerSecond());
    const byConnections = granted < size ? granted + Math.ceil(ahead) : Number.POSITIVE_INFINITY;
    const byPace = perSecond === undefined ? Number.POSITIVE_INFINITY : 1 + Math.ceil(perSecond * PACED_AHEAD_S);
    return Math.min(byConnections, byPace);
  },
  isLimited: () => pool.isLimited() || pool.perSecond() !== undefined,
  words: pool.words,
});
