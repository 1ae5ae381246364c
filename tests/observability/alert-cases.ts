import { AUTOSCALER_METRICS } from "../../observability/alerts/rules.ts";
import { LABEL, type MetricName, prometheusName } from "../../observability/dashboards/prometheus-names.ts";
import * as names from "../../observability/metric-names.ts";

/** Series with a value per minute, and the alerts that have to fire at a minute. */
export interface AlertCase {
  readonly name: string;
  readonly series: Readonly<Record<string, string>>;
  readonly at: number;
  readonly firing: readonly string[];
}

const GROUP = `${LABEL.group}="welcome-email"`;
const RECEIVER = `${LABEL.group}="webhook-crm"`;
const of = (name: MetricName, labels: string = GROUP): string => `${prometheusName(name)}{${labels}}`;
const inbox = prometheusName(names.SIGNUP_TIME_TO_INBOX);
const request = prometheusName(names.HTTP_SERVER_REQUEST_DURATION);
const route = (status: number) => `${LABEL.route}="/api/v1/user/", ${LABEL.method}="POST", ${LABEL.status}="${status}"`;

const mails = (all: string, inTime: string, le = "60") => ({
  [`${inbox}_count{${GROUP}}`]: all,
  [`${inbox}_bucket{${GROUP}, le="${le}"}`]: inTime,
});
const requests = (status: number, all: string, inTime: string) => ({
  [`${request}_count{${route(status)}}`]: all,
  [`${request}_bucket{${route(status)}, le="0.5"}`]: inTime,
});

const events = `${GROUP}, ${LABEL.stream}="events"`;
/** A healthy system. */
const HEALTHY = {
  ...mails("0+60x500", "0+60x500"),
  ...requests(201, "0+60x500", "0+60x500"),
  [of(names.SIGNUP_PAUSED)]: "0x500",
  [of(names.SIGNUP_DEAD)]: "0x500",
  [of(names.SIGNUP_STREAM_LAG, events)]: "3x500",
  [of(names.SIGNUP_STREAM_LAG_UNKNOWN)]: "0x500",
  [of(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)]: "1x500",
  [of(names.SIGNUP_BREAKER_STATE, `${GROUP}, instance="one"`)]: "0x500",
  [of(names.SIGNUP_IN_FLIGHT_LIMIT, `${GROUP}, instance="one"`)]: "20x500",
  [of(names.SIGNUP_GROUP_ORPHANED)]: "0x500",
  [of(names.SIGNUP_OUTBOX_OLDEST_AGE, "")]: "0x500",
};
const { [of(names.SIGNUP_IN_FLIGHT_LIMIT, `${GROUP}, instance="one"`)]: _one, ...WITHOUT_CONSUMER } = HEALTHY;

const KEDA_ERRORS = `${AUTOSCALER_METRICS.errors}{scaledObject="consumer-welcome-email", namespace="keda"}`;
const OF_HPA = 'namespace="signup", horizontalpodautoscaler="keda-hpa-shop-consumer-welcome-email"';
const HPA = (condition: string, status: string) =>
  `${AUTOSCALER_METRICS.condition}{${OF_HPA}, condition="${condition}", status="${status}"}`;
const HPA_REPLICAS = `${AUTOSCALER_METRICS.replicas}{${OF_HPA}}`;

const change = (
  name: string,
  series: Readonly<Record<string, string>>,
  at: number,
  ...firing: readonly string[]
): AlertCase => ({ name, series: { ...HEALTHY, ...series }, at, firing });

/** Every alert fires in at least one of them, and is silent in many. */
export const ALERT_CASES: readonly AlertCase[] = [
  change("all is well", {}, 30),
  change("1 of 5 mails is late", mails("0+60x120", "0+48x120"), 40, "SignupInboxFastBurn", "SignupInboxSlowBurn"),
  change("no mail is in time", mails("0+60x120", "0x120"), 40, "SignupInboxFastBurn", "SignupInboxSlowBurn"),
  change("a bucket boundary as Prometheus 3 spells it", mails("0+60x120", "0+60x120", "60.0"), 30),
  change(
    "late mails, then an hour without",
    mails("0+60x30 1800+60x120", "0+48x30 1440+60x120"),
    140,
    "SignupInboxSlowBurn",
  ),
  change("1 of 50 mails is late, for days", mails("0+50x500", "0+49x500"), 400, "SignupInboxSlowBurn"),
  change("1 of 200 mails is late: within the objective", mails("0+200x500", "0+199x500"), 400),
  change("two greylisted mails in a quiet night", mails("0x10 1+0x9 2+0x60", "0x120"), 40),
  change(
    "1 of 5 signups fails",
    requests(500, "0+15x120", "0+15x120"),
    40,
    "SignupAcceptFastBurn",
    "SignupAcceptSlowBurn",
  ),
  change(
    "1 of 5 signups is slow",
    requests(201, "0+60x120", "0+48x120"),
    40,
    "SignupAcceptFastBurn",
    "SignupAcceptSlowBurn",
  ),
  change("1 of 50 signups is slow, for days", requests(201, "0+50x500", "0+49x500"), 400, "SignupAcceptSlowBurn"),
  change("invalid requests", requests(422, "0+60x120", "0+60x120"), 30),
  change("a mail waits", { [of(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)]: "0+60x60" }, 15, "SignupMailsWait"),
  change("a mail waited", { [of(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)]: "400x3 1x60" }, 15),
  change(
    "a paused group",
    {
      [of(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)]: "0+60x120",
      [of(names.SIGNUP_STREAM_LAG, events)]: "0+60x120",
      [of(names.SIGNUP_PAUSED)]: "1x120",
    },
    50,
  ),
  change("a group that stays paused", { [of(names.SIGNUP_PAUSED)]: "1x120" }, 90, "SignupGroupPaused"),
  change("lag that grows", { [of(names.SIGNUP_STREAM_LAG, events)]: "0+60x120" }, 40, "SignupLagNotReduced"),
  change("lag that two processes report", { [of(names.SIGNUP_STREAM_LAG, `${events}, instance="b"`)]: "3x120" }, 40),
  change("lag that shrinks", { [of(names.SIGNUP_STREAM_LAG, events)]: "9000-60x120" }, 40),
  change("lag that Redis does not know", { [of(names.SIGNUP_STREAM_LAG_UNKNOWN)]: "1x60" }, 15, "SignupLagUnknown"),
  { name: "work, and no consumer", series: WITHOUT_CONSUMER, at: 10, firing: ["SignupNoConsumer"] },
  {
    name: "no work, and no consumer: scaled to zero",
    series: { ...WITHOUT_CONSUMER, [of(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)]: "0x60" },
    at: 10,
    firing: [],
  },
  change("a dead letter", { [of(names.SIGNUP_DEAD)]: "2x20 3x60" }, 25, "SignupDeadLetters"),
  change("a dead letter of an hour ago", { [of(names.SIGNUP_DEAD)]: "2x20 3x120" }, 90),
  change("dead letters that were retried", { [of(names.SIGNUP_DEAD)]: "9x20 0x60" }, 25),
  change(
    "the breaker of one of two consumers is open",
    { [of(names.SIGNUP_BREAKER_STATE, `${GROUP}, instance="two"`)]: "2x60" },
    10,
    "SignupBreakerOpen",
  ),
  change(
    "a receiver of webhooks that only the settings name is down, and its work waits",
    {
      [of(names.SIGNUP_BREAKER_STATE, `${RECEIVER}, instance="one"`)]: "2x60",
      [of(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE, RECEIVER)]: "0+60x60",
      [of(names.SIGNUP_IN_FLIGHT_LIMIT, `${RECEIVER}, instance="one"`)]: "20x60",
      [of(names.SIGNUP_DEAD, RECEIVER)]: "0x14 1x60",
    },
    15,
    "SignupBreakerOpen",
    "SignupMailsWait",
    "SignupDeadLetters",
  ),
  change("a breaker that recovers", { [of(names.SIGNUP_BREAKER_STATE, `${GROUP}, instance="two"`)]: "2x2 1x60" }, 10),
  change(
    "deliveries that were lost again and again",
    { [of(names.SIGNUP_LOST_REPEATEDLY)]: "_x20 2x60" },
    30,
    "SignupLostRepeatedly",
  ),
  change("deliveries that were lost, hours ago", { [of(names.SIGNUP_LOST_REPEATEDLY)]: "2x200" }, 150),
  change("a domain that refuses everything", { [of(names.SIGNUP_PARTIES_WAITING)]: "1x60" }, 20, "SignupPartyRefuses"),
  change("a domain that refused everything for a while", { [of(names.SIGNUP_PARTIES_WAITING)]: "1x5 0x60" }, 20),
  change(
    "1 of 10 mails comes back",
    { [of(names.MAIL_BOUNCES, `${LABEL.bounce}="hard"`)]: "0+6x500" },
    100,
    "SignupBouncesRise",
  ),
  change("1 of 60 mails comes back", { [of(names.MAIL_BOUNCES, `${LABEL.bounce}="hard"`)]: "0+1x500" }, 400),
  change("full mailboxes", { [of(names.MAIL_BOUNCES, `${LABEL.bounce}="soft"`)]: "0+6x500" }, 100),
  change("an orphaned group", { [of(names.SIGNUP_GROUP_ORPHANED)]: "1x120" }, 90, "SignupGroupOrphaned"),
  {
    name: "an orphaned group whose entries wait: nobody is paged",
    series: {
      ...WITHOUT_CONSUMER,
      [of(names.SIGNUP_GROUP_ORPHANED)]: "1x120",
      [of(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)]: "0+60x120",
      [of(names.SIGNUP_STREAM_LAG, events)]: "0+60x120",
    },
    at: 50,
    firing: [],
  },
  change("an outbox that waits", { [of(names.SIGNUP_OUTBOX_OLDEST_AGE, "")]: "0+60x60" }, 10, "SignupOutboxWaits"),
  change(
    "KEDA counts, after a failure at its start",
    { [KEDA_ERRORS]: "0x5 6x60", [HPA("ScalingActive", "false")]: "0x60" },
    30,
  ),
  change("KEDA does not reach Redis", { [KEDA_ERRORS]: "0+30x60" }, 20, "SignupScalingBlind"),
  change(
    "an autoscaler without a valid metric, of an instance of another name, and KEDA says so too",
    {
      [KEDA_ERRORS.replace("consumer", "shop-consumer")]: "0+30x60",
      [HPA("ScalingActive", "false")]: "1x60",
      [HPA_REPLICAS]: "3x60",
    },
    20,
    "SignupScalingBlind",
  ),
  change("an autoscaler of a group at zero", { [HPA("ScalingActive", "false")]: "1x60", [HPA_REPLICAS]: "0x60" }, 20),
  change("another team's autoscaler", { [KEDA_ERRORS.replace("consumer", "worker")]: "0+30x60" }, 20),
  { name: "no api reports", series: {}, at: 15, firing: ["SignupUnmeasured"] },
];
