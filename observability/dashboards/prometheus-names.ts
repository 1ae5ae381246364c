import * as names from "../metric-names.ts";

/** A metric's name, as the code has it. */
export type MetricName = (typeof names)[keyof typeof names];

type Kind = "counter" | "gauge" | "gauge of seconds" | "histogram of seconds";

/** What each metric is: its name in Prometheus depends on it. The compiler demands every one of `metric-names.ts`. */
const KINDS: Readonly<Record<MetricName, Kind>> = {
  [names.HTTP_SERVER_REQUEST_DURATION]: "histogram of seconds",
  [names.HTTP_CLIENT_REQUEST_DURATION]: "histogram of seconds",
  [names.DB_CLIENT_OPERATION_DURATION]: "histogram of seconds",
  [names.MESSAGING_CLIENT_SENT_MESSAGES]: "counter",
  [names.MESSAGING_CLIENT_OPERATION_DURATION]: "histogram of seconds",
  [names.MESSAGING_CLIENT_CONSUMED_MESSAGES]: "counter",
  [names.MESSAGING_PROCESS_DURATION]: "histogram of seconds",
  [names.SIGNUP_TIME_TO_INBOX]: "histogram of seconds",
  [names.SIGNUP_TIME_TO_DONE]: "histogram of seconds",
  [names.SIGNUP_ADMISSION_REFUSED]: "counter",
  [names.SIGNUP_PASSWORD_HASH_WAIT]: "histogram of seconds",
  [names.MAIL_UNCERTAIN]: "counter",
  [names.MAIL_UNCERTAIN_TAKEN_BACK]: "counter",
  [names.MAIL_BOUNCES]: "counter",
  [names.SIGNUP_CLAIMED]: "counter",
  [names.SIGNUP_RECONCILED]: "counter",
  [names.SIGNUP_LOST_REPEATEDLY]: "counter",
  [names.SIGNUP_STREAM_LAG]: "gauge",
  [names.SIGNUP_STREAM_LAG_UNKNOWN]: "gauge",
  [names.SIGNUP_STREAM_PENDING]: "gauge",
  [names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE]: "gauge of seconds",
  [names.SIGNUP_RETRYING]: "gauge",
  [names.SIGNUP_DEAD]: "gauge",
  [names.SIGNUP_CONSUMERS]: "gauge",
  [names.SIGNUP_PAUSED]: "gauge",
  [names.SIGNUP_GROUP_ORPHANED]: "gauge",
  [names.SIGNUP_OUTBOX_ROWS]: "gauge",
  [names.SIGNUP_OUTBOX_OLDEST_AGE]: "gauge of seconds",
  [names.SIGNUP_DELIVERIES]: "gauge",
  [names.SIGNUP_HELD]: "gauge",
  [names.SIGNUP_BREAKER_STATE]: "gauge",
  [names.SIGNUP_IN_FLIGHT]: "gauge",
  [names.SIGNUP_IN_FLIGHT_LIMIT]: "gauge",
  [names.SIGNUP_KEPT]: "gauge",
  [names.SIGNUP_MAIL_RATE]: "gauge",
  [names.SIGNUP_PARTIES_WAITING]: "gauge",
  [names.SIGNUP_PASSWORD_HASH_WAITING]: "gauge",
  [names.SIGNUP_SMTP_CONNECTIONS_BUSY]: "gauge",
  [names.SIGNUP_SMTP_CONNECTIONS_LIMIT]: "gauge",
  [names.SIGNUP_SMTP_CONNECTIONS_GRANTED]: "gauge",
  [names.SIGNUP_SMTP_PACE]: "gauge",
};

const SUFFIX: Readonly<Record<Kind, string>> = {
  counter: "_total",
  gauge: "",
  "gauge of seconds": "_seconds",
  "histogram of seconds": "_seconds",
};

/** `signup.time_to_inbox` -> `signup_time_to_inbox_seconds`; of a histogram without `_bucket`, `_count` or `_sum`. */
export const prometheusName = (name: MetricName): string => `${name.replaceAll(".", "_")}${SUFFIX[KINDS[name]]}`;

/** Each name under which Prometheus knows a series of ours. */
export const prometheusNames = (): ReadonlySet<string> =>
  new Set(
    Object.values(names).flatMap((name) => {
      const own = prometheusName(name);
      return KINDS[name] === "histogram of seconds" ? [`${own}_bucket`, `${own}_count`, `${own}_sum`] : [own];
    }),
  );

/** Labels, in Prometheus' spelling. */
export const LABEL = {
  group: "messaging_consumer_group_name",
  outcome: "signup_outcome",
  errorType: "error_type",
  route: "http_route",
  method: "http_request_method",
  status: "http_response_status_code",
  stream: "signup_stream",
  state: "signup_state",
  cause: "signup_uncertain_cause",
  reason: "signup_reason",
  bounce: "signup_bounce_kind",
  limit: "signup_limit",
  server: "server_address",
  summary: "db_query_summary",
} as const;
