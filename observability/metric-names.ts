/*
 * Every metric that this service exports, by name. Dashboards, alerts and tests import them from here.
 *
 * Names of the conventions (https://github.com/open-telemetry/semantic-conventions, v1.45.0; HTTP and database are stable,
 * messaging is in development) first, then the project's own. Durations and ages are in seconds. In Prometheus, however
 * they come there, dots become underscores, and the unit and `_total` follow: `signup.time_to_inbox` is
 * `signup_time_to_inbox_seconds`.
 */

/** Histogram, s. By `http.route`, `http.request.method`, `http.response.status_code`. */
export const HTTP_SERVER_REQUEST_DURATION = "http.server.request.duration";
/**
 * Histogram, s. One webhook, from the look-up of the address to the end of the answer; by `server.address`, `server.port`,
 * `http.request.method`, `http.response.status_code`, `error.type`.
 */
export const HTTP_CLIENT_REQUEST_DURATION = "http.client.request.duration";
/** Histogram, s. One statement; by `db.query.summary`. */
export const DB_CLIENT_OPERATION_DURATION = "db.client.operation.duration";
/** Counter. Entries sent to Redis; with `error.type` if it did not confirm. */
export const MESSAGING_CLIENT_SENT_MESSAGES = "messaging.client.sent.messages";
/** Histogram, s. One XADD. */
export const MESSAGING_CLIENT_OPERATION_DURATION = "messaging.client.operation.duration";
/** Counter. Deliveries to a consumer of a group, claims and retries included. */
export const MESSAGING_CLIENT_CONSUMED_MESSAGES = "messaging.client.consumed.messages";
/** Histogram, s. One attempt, settling included; by `messaging.consumer.group.name`, `signup.outcome`, `error.type`. */
export const MESSAGING_PROCESS_DURATION = "messaging.process.duration";

/** Histogram, s. From the commit of the signup to the mail server's 250: how long a person waits. */
export const SIGNUP_TIME_TO_INBOX = "signup.time_to_inbox";
/** Histogram, s. From the commit of an event to the end of a group's work on it; by `messaging.consumer.group.name`. */
export const SIGNUP_TIME_TO_DONE = "signup.time_to_done";
/** Counter. Requests that were not admitted; by `signup.limit`: `client`, `repeat`, `address`, `domain`, `global`, `concurrent`, or `queue`. */
export const SIGNUP_ADMISSION_REFUSED = "signup.admission.refused";
/** Histogram, s. How long a password has waited to be hashed. */
export const SIGNUP_PASSWORD_HASH_WAIT = "signup.password_hash.wait";
/** Counter. Attempts after which nobody can know whether the effect took place; by group, `signup.uncertain.cause`. */
export const MAIL_UNCERTAIN = "mail.uncertain";
/** Counter. Those of them of which it became known that nothing was begun: they are no doubt in the ledger any more; by group. */
export const MAIL_UNCERTAIN_TAKEN_BACK = "mail.uncertain.taken_back";
/**
 * Counter. Reports on mails that had been accepted; by `signup.bounce.kind` (`hard`, `soft`, `delayed`, `complaint`, `repeated`,
 * `unmatched`) and `signup.bounce.source` (`dsn`, `arf`, or the provider).
 */
export const MAIL_BOUNCES = "mail.bounces";
/** Counter. Entries claimed from a consumer that died. */
export const SIGNUP_CLAIMED = "signup.claimed";
/** Counter. Deliveries that Redis had lost and the reconciler published again. */
export const SIGNUP_RECONCILED = "signup.reconciled";
/** Counter. Deliveries that the reconciler published ten times in vain, and then held (`lost_repeatedly`); by group. */
export const SIGNUP_LOST_REPEATEDLY = "signup.lost_repeatedly";

/*
 * Gauges of state that all processes share. Every api could report them, but one at a time does (`background/gauges.ts` of the
 * api), so their sum is right for any number of replicas. In the seconds after a change of reporter, and for those of the
 * ledger while Redis is down, more than one may report the same value: dashboards take `max`, which is always right.
 */

/** Gauge. Entries that the group has not read; by `signup.stream` (`events` or `retries`). Where Redis does not know, counted up to 10,000. */
export const SIGNUP_STREAM_LAG = "signup.stream.lag";
/** Gauge. 1 while Redis reports no lag (nil), else 0. */
export const SIGNUP_STREAM_LAG_UNKNOWN = "signup.stream.lag_unknown";
/** Gauge. Entries that are read and not acknowledged. */
export const SIGNUP_STREAM_PENDING = "signup.stream.pending";
/** Gauge, s. Age of the low watermark: how long the oldest unfinished entry has waited; 0 if there is none. */
export const SIGNUP_STREAM_OLDEST_UNFINISHED_AGE = "signup.stream.oldest_unfinished_age";
/** Gauge. Entries delayed until their next attempt. */
export const SIGNUP_RETRYING = "signup.retrying";
/** Gauge. Dead letters. */
export const SIGNUP_DEAD = "signup.dead";
/** Gauge. Consumers that are registered in the group. */
export const SIGNUP_CONSUMERS = "signup.consumers";
/** Gauge. 1 while the group is paused, else 0. */
export const SIGNUP_PAUSED = "signup.paused";
/** Gauge. 1 for an orphaned group: one that the code no longer knows and that holds back trimming; else 0. */
export const SIGNUP_GROUP_ORPHANED = "signup.group.orphaned";
/** Gauge. Committed signups whose event is not confirmed to be published. */
export const SIGNUP_OUTBOX_ROWS = "signup.outbox.rows";
/** Gauge, s. Age of the oldest of them; 0 if there is none. */
export const SIGNUP_OUTBOX_OLDEST_AGE = "signup.outbox.oldest_age";
/** Gauge. Deliveries by `messaging.consumer.group.name` and `signup.state`, of the latest 100,000. */
export const SIGNUP_DELIVERIES = "signup.deliveries";
/** Gauge. Held deliveries, by `messaging.consumer.group.name` and `signup.reason`; of a group that holds none, 0. */
export const SIGNUP_HELD = "signup.held";

/* Gauges of one process. */

/** Gauge. 0 closed, 1 recovering, 2 open; by group. */
export const SIGNUP_BREAKER_STATE = "signup.breaker.state";
/** Gauge. Entries in flight in a consumer; by group. */
export const SIGNUP_IN_FLIGHT = "signup.in_flight";
/** Gauge. Most entries that a consumer has in flight at a time; by group. */
export const SIGNUP_IN_FLIGHT_LIMIT = "signup.in_flight.limit";
/** Gauge. Entries that a consumer has read, and does not attempt yet, because much like them was in vain lately; by group. */
export const SIGNUP_KEPT = "signup.kept";
/** Gauge. Mails a second that all consumers together may send now: MAIL_RATE_PER_SECOND, or less after `too fast`; by group. */
export const SIGNUP_MAIL_RATE = "signup.mail.rate";
/** Gauge. Parties (for mail: recipients' domains) that refuse or defer everything, and so wait; by group. */
export const SIGNUP_PARTIES_WAITING = "signup.parties.waiting";
/** Gauge. Passwords queued for hashing. */
export const SIGNUP_PASSWORD_HASH_WAITING = "signup.password_hash.waiting";
/** Gauge. SMTP connections that are sending. */
export const SIGNUP_SMTP_CONNECTIONS_BUSY = "signup.smtp.connections.busy";
/** Gauge. Most SMTP connections of a consumer. */
export const SIGNUP_SMTP_CONNECTIONS_LIMIT = "signup.smtp.connections.limit";
/** Gauge. SMTP connections that the mail server grants a consumer, as far as it is known. */
export const SIGNUP_SMTP_CONNECTIONS_GRANTED = "signup.smtp.connections.granted";
/** Gauge. Mails a second that the mail server grants a consumer; 0: no limit is known. */
export const SIGNUP_SMTP_PACE = "signup.smtp.pace";
