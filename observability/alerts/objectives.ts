import { LABEL, prometheusName } from "../dashboards/prometheus-names.ts";
import { HTTP_SERVER_REQUEST_DURATION, SIGNUP_TIME_TO_INBOX } from "../metric-names.ts";

/** An objective: which share of events has to be good, and how Prometheus counts all and the good ones. */
export interface Objective {
  readonly name: string;
  readonly target: number;
  readonly seconds: number;
  /** `window`: `5m`, `1h`, ... */
  good(window: string): string;
  all(window: string): string;
}

/** A bucket's boundary as both of Prometheus' ways spell it: `60` and `60.0`. */
const le = (seconds: number): string => `le=~"${String(seconds).replace(".", "[.]")}([.]0)?"`;

const inbox = prometheusName(SIGNUP_TIME_TO_INBOX);
const request = prometheusName(HTTP_SERVER_REQUEST_DURATION);

/** Label matchers of a signup request. */
export const SIGNUP_REQUEST = `${LABEL.route}="/api/v1/user/", ${LABEL.method}="POST"`;

/** 99 % of the mails are accepted by the mail server within 60 s of the signup's commit. */
export const INBOX: Objective = {
  name: "time to inbox",
  target: 0.99,
  seconds: 60,
  good: (window) => `sum(rate(${inbox}_bucket{${le(60)}}[${window}]))`,
  all: (window) => `sum(rate(${inbox}_count[${window}]))`,
};

/** 99 % of the signups are answered within 0.5 s, and without a 5xx. */
export const ACCEPT: Objective = {
  name: "accept",
  target: 0.99,
  seconds: 0.5,
  good: (window) => `sum(rate(${request}_bucket{${SIGNUP_REQUEST}, ${LABEL.status}!~"5..", ${le(0.5)}}[${window}]))`,
  all: (window) => `sum(rate(${request}_count{${SIGNUP_REQUEST}}[${window}]))`,
};

/** The share of events that were not good. */
export const badRatio = (objective: Objective, window: string): string =>
  // `or 0 * all`: without any good event there is no series, and so no ratio.
  `(1 - (${objective.good(window)} or 0 * ${objective.all(window)}) / ${objective.all(window)})`;

/** How fast the error budget is spent, in multiples of the pace that would use it up exactly. */
export const burnRate = (objective: Objective, window: string): string =>
  `${badRatio(objective, window)} / ${budgetOf(objective)}`;

/** 0.01 for a target of 0.99, without binary rounding errors. */
export const budgetOf = ({ target }: Objective): number => Number((1 - target).toFixed(6));
