import { sinceOf } from "../loop.ts";
import { REDIS_AWAY, SQLSTATE, UNENDED } from "../published-fault.ts";
import { count, counted } from "../quantity.ts";
import type { StoreAway } from "../store-answers.ts";
import type { GroupFacts, Waiting } from "./facts.ts";

const NOUNS: readonly (readonly [pattern: RegExp, noun: string])[] = [
  [/-email$/, "mail"],
  [/^webhook-/, "webhook"],
  [/^payments$/, "payment"],
];

/** What a group's pieces of work are called: `mail`. */
export const nounOf = (group: string): string => NOUNS.find(([pattern]) => pattern.test(group))?.[1] ?? "event";

/** `12 mails`, `10,000 or more mails`. */
export const pieces = (group: string, { count: value, isBound }: Waiting): string => {
  const noun = nounOf(group);
  return isBound ? `${count(value)} or more ${noun}s` : counted(value, noun);
};

export const verb = (value: number, one: string, many: string): string => (value === 1 ? one : many);

/** `; 12 mails wait, none is lost`. */
export const waitingSafely = ({ group, unfinished, delayed }: GroupFacts): string => {
  if (unfinished === undefined) return "";
  if (unfinished.count === 0) {
    if (delayed.count === 0) return "; nothing waits";
    const later = verb(delayed.count, "waits until its delay is", "wait until their delay is");
    return `; nothing is due, ${pieces(group, delayed)} ${later} over`;
  }
  const all = pieces(group, unfinished);
  return unfinished.count === 1 ? `; ${all} waits, it is not lost` : `; ${all} wait, none is lost`;
};

export const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `06:05 UTC`, with the date if it is another day. */
export const timeOf = (at: string, now: Date): string => {
  const [day = "", time = ""] = at.split("T");
  const isToday = now.toISOString().startsWith(day);
  return `${isToday ? "" : `${day} `}${time.slice(0, 5)} UTC`;
};

/** `since 06:05 UTC`. */
export const since = (at: string, now: Date): string => `since ${timeOf(at, now)}`;

const OF_LOGIN = /^(WRONGPASS|NOAUTH)$/;
const REFUSES_LOGIN = "refuses the login";

/** `refuses the login (WRONGPASS)`, of a Redis that answers whoever connects by that. */
export const refusesLogin = (code: string): string => `${REFUSES_LOGIN} (${code})`;

/** Whether it is a login that keeps a store from its work: then it does not come back by itself. */
export const isOfLogin = (fault: string): boolean => fault.startsWith(REFUSES_LOGIN);

const ENDS_NO_COMMIT = "has ended no commit";

/** Of a Postgres that answers whoever reads. */
export const endsNoCommit = (at: Date, now: Date): string =>
  `${ENDS_NO_COMMIT} since about ${timeOf(at.toISOString(), now)}, because its synchronous standby does not answer`;

/** Whether it is a standby that keeps Postgres from its work. */
export const isOfStandby = (fault: string): boolean => fault.startsWith(ENDS_NO_COMMIT);

/** What keeps a store from its work; undefined: it answers. */
export const notAnswered = (store: StoreAway | undefined, now: Date): string | undefined => {
  if (store === undefined) return undefined;
  const when = since(store.since.toISOString(), now);
  const { refusal } = store;
  if (refusal === UNENDED) return endsNoCommit(store.since, now);
  if (refusal === undefined) return `has not answered ${when}`;
  if (OF_LOGIN.test(refusal)) return `${refusesLogin(refusal)} ${when}`;
  return `${SQLSTATE.test(refusal) ? "refuses connections" : "refuses writes"} (${refusal}) ${when}`;
};

/** Loops try again within some seconds. */
const TRIED_AGAIN_MS = 30_000;

/**
 * Whether a fault is of a Redis that did not answer so lately that who says it may have yet to try again. A fault tells when it began: so after a longer
 * outage it counts as trouble for some seconds more.
 */
export const mayHaveHealed = (fault: string, now: Date): boolean => {
  const at = sinceOf(fault);
  return fault.startsWith(REDIS_AWAY) && (at === undefined || now.getTime() - at.getTime() < TRIED_AGAIN_MS);
};

/** Why a group of webhooks pauses itself: its receiver answered 410. */
export const RECEIVER_GONE = "receiver_gone";

/** What a system does that fails as a whole, whatever the piece, for a reason; reasons of mail and of webhooks. */
const FAILS: Readonly<Record<string, string>> = {
  connection_refused: "refuses connections",
  connection_failed: "cannot be reached",
  connection_lost: "drops the connection",
  dns: "is not found by its name (DNS)",
  host_not_found: "is not found by its name (DNS)",
  tls: "offers no TLS that is trusted",
  tls_failed: "offers no TLS that is trusted",
  auth: "refuses the login",
  greeting_timeout: "accepts connections and says nothing",
  timeout: "does not answer in time",
  deadline: "does not answer in time",
  service_unavailable: "says that it is unavailable",
  system_status: "says that it is out of order",
  sender_refused: "refuses the sender's address",
  client_refused: "takes no mail from our address",
  redirect_refused: "answers with a redirect",
  address_refused: "has an address that is not allowed",
  protocol: "answers what nobody understands",
};

/** What it does that declines, or has no room. */
const DOES: Readonly<Record<string, string>> = {
  ...FAILS,
  connection_limit: "grants no connection",
  slow: "answers slowly",
  account_refused: "refuses everything that we send",
  policy: "refuses everything that we send",
  rejected: "refuses everything that we send",
  greylisted: "defers everything that we send",
  try_later: "defers everything that we send",
  too_fast: "says that we send too fast",
  quota_used_up: "says that our quota is used up",
  [RECEIVER_GONE]: "says that it is gone",
};

const statusIn = (reason: string): string | undefined => /^status_(\d{3})$/.exec(reason)?.[1];

/** Whether a reason is that of a system that failed, and not that of a piece. */
export const isOfSystem = (reason: string): boolean =>
  Object.hasOwn(FAILS, reason) || statusIn(reason)?.startsWith("5") === true;

export const doing = (reason: string | undefined): string => {
  if (reason === undefined) return "fails";
  const status = statusIn(reason);
  return status === undefined ? (DOES[reason] ?? `fails (${reason})`) : `answers ${status}`;
};

/** What faults of a consumer are, whichever group they are of, and since when: those of several groups are alike. */
export const causeOf = (faults: readonly (readonly [what: string, why: string])[], group: string): string =>
  faults.map(([what, why]) => `${what.replace(group, "")}: ${why.replace(/; since .*$/, "")}`).join(", ");

export const quoted = (words: string | undefined): string => (words === undefined ? "" : ` (“${words}”)`);
