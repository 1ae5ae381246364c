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
/** Histogram, s. One statement; by `db.query.summary`. */
export const DB_CLIENT_OPERATION_DURATION = "db.client.operation.duration";
/** Counter. Entries that were given to Redis; with `error.type` if it did not confirm. */
export const MESSAGING_CLIENT_SENT_MESSAGES = "messaging.client.sent.messages";
/** Histogram, s. One XADD. */
export const MESSAGING_CLIENT_OPERATION_DURATION = "messaging.client.operation.duration";
/** Counter. Deliveries to a consumer of a group, claims and retries included. */
export const MESSAGING_CLIENT_CONSUMED_MESSAGES = "messaging.client.consumed.messages";
/** Histogram, s. One try, settling included; by `messaging.consumer.group.name`, `signup.outcome`, `error.type`. */
export const MESSAGING_PROCESS_DURATION = "messaging.process.duration";

/** Histogram, s. From the commit of the signup to the mail server's 250: what a person waits. */
export const SIGNUP_TIME_TO_INBOX = "signup.time_to_inbox";
/** Histogram, s. From the commit of an event to the end of a group's work on it; by `messaging.consumer.group.name`. */
export const SIGNUP_TIME_TO_DONE = "signup.time_to_done";
/** Counter. Attempts after which nobody can know whether the effect took place; by group, `signup.uncertain.cause`. */
export const MAIL_UNCERTAIN = "mail.uncertain";
/** Counter. Entries that a consumer took over from one that died. */
export const SIGNUP_CLAIMED = "signup.claimed";
/** Counter. Mails that Redis had lost, and that the reconciler put back in line. */
export const SIGNUP_RECONCILED = "signup.reconciled";

/*
 * Gauges of state that is shared by all processes. Every api could tell them, but one at a time does (`background/gauges.ts`
 * of the api): their sum is right for any number of replicas. In the seconds after a change of reporter, and for those of
 * the ledger while Redis is away, more than one may tell the same value: dashboards take `max`, which is always right.
 */

/** Gauge. Entries that the group has not read; by `signup.stream` (`events` or `retries`). Absent while Redis does not know. */
export const SIGNUP_STREAM_LAG = "signup.stream.lag";
/** Gauge. 1 while Redis has forgotten the lag (nil), else 0. */
export const SIGNUP_STREAM_LAG_UNKNOWN = "signup.stream.lag_unknown";
/** Gauge. Entries that are read and not acked. */
export const SIGNUP_STREAM_PENDING = "signup.stream.pending";
/** Gauge, s. Age of the low watermark: how long the oldest unfinished entry has waited; 0 if there is none. */
export const SIGNUP_STREAM_OLDEST_UNFINISHED_AGE = "signup.stream.oldest_unfinished_age";
/** Gauge. Entries that wait aside for their next try. */
export const SIGNUP_RETRYING = "signup.retrying";
/** Gauge. Dead letters. */
export const SIGNUP_DEAD = "signup.dead";
/** Gauge. Consumers that the group knows. */
export const SIGNUP_CONSUMERS = "signup.consumers";
/** Gauge. 1 while the group is paused, else 0. */
export const SIGNUP_PAUSED = "signup.paused";
/** Gauge. 1 for a group that nobody reads any more and that holds back trimming, else 0. */
export const SIGNUP_GROUP_FORGOTTEN = "signup.group.forgotten";
/** Gauge. Committed signups whose event is not confirmed to be published. */
export const SIGNUP_OUTBOX_ROWS = "signup.outbox.rows";
/** Gauge, s. Age of the oldest of them; 0 if there is none. */
export const SIGNUP_OUTBOX_OLDEST_AGE = "signup.outbox.oldest_age";
/** Gauge. Mails by `signup.state`, of the latest 100,000. */
export const SIGNUP_MAILS = "signup.mails";

/* Gauges of one process. */

/** Gauge. 0 closed, 1 recovering, 2 open; by group. */
export const SIGNUP_BREAKER_STATE = "signup.breaker.state";
/** Gauge. Entries that a consumer has in hand; by group. */
export const SIGNUP_IN_HAND = "signup.in_hand";
/** Gauge. Most entries that a consumer has in hand; by group. */
export const SIGNUP_IN_HAND_LIMIT = "signup.in_hand.limit";
/** Gauge. Passwords that wait to be hashed. */
export const SIGNUP_PASSWORD_HASH_WAITING = "signup.password_hash.waiting";
/** Gauge. SMTP connections that are sending. */
export const SIGNUP_SMTP_CONNECTIONS_BUSY = "signup.smtp.connections.busy";
/** Gauge. Most SMTP connections of a consumer. */
export const SIGNUP_SMTP_CONNECTIONS_LIMIT = "signup.smtp.connections.limit";
