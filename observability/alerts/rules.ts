import { LABEL, type MetricName, prometheusName } from "../dashboards/prometheus-names.ts";
import * as names from "../metric-names.ts";
import {
  areHeld,
  deadLettersOf,
  isPaused,
  noConsumerRuns,
  oldestWaits,
  partiesRefuse,
  unnamedSystem,
  waitInOutbox,
} from "../sentences.ts";
import { ACCEPT, badRatio, budgetOf, INBOX, type Objective } from "./objectives.ts";

/** How soon somebody has to look: at once, at night too; or on the next working day. */
type Severity = "page" | "ticket";

/** One alert, as Prometheus' rules file holds it. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: Readonly<Record<"summary" | "description" | "runbook" | "dashboard", string>>;
}

type Dashboard = "overview" | "consumer-groups" | "traces";

const alert = (
  name: string,
  given: {
    readonly expr: string;
    readonly for?: string;
    readonly severity: Severity;
    readonly summary: string;
    readonly description: string;
    readonly dashboard: Dashboard;
  },
): Alert => {
  const group = given.dashboard === "consumer-groups" ? `?var-group={{ $labels.${LABEL.group} }}` : "";
  return {
    alert: name,
    expr: given.expr,
    ...(given.for === undefined ? {} : { for: given.for }),
    labels: { severity: given.severity },
    annotations: {
      summary: given.summary,
      description: given.description,
      runbook: `observability/runbook.md#${name.toLowerCase()}`,
      dashboard: `/d/signup-${given.dashboard}${group}`,
    },
  };
};

/** Fewer bad events than this in the long window are chance (one greylisted mail), not an incident. */
const LEAST_BAD = 5;

const SECONDS: Readonly<Record<string, number>> = { "1h": 3_600, "6h": 21_600, "1d": 86_400, "3d": 259_200 };

/** Google's multi-window burn rate: the long window says that it matters, the short one that it still continues. */
const burns = (objective: Objective, factor: number, long: string, short: string): string => {
  const limit = Number((factor * budgetOf(objective)).toFixed(6));
  const bad = `(${objective.all(long)} - (${objective.good(long)} or 0 * ${objective.all(long)})) * ${SECONDS[long]}`;
  return `${badRatio(objective, long)} > ${limit}\nand ${badRatio(objective, short)} > ${limit}\nand ${bad} >= ${LEAST_BAD}`;
};

const burnAlerts = (prefix: string, objective: Objective, what: string): readonly Alert[] => [
  alert(`${prefix}FastBurn`, {
    expr: `(${burns(objective, 14.4, "1h", "5m")})\nor\n(${burns(objective, 6, "6h", "30m")})`,
    severity: "page",
    summary: `{{ $value | humanizePercentage }} of ${what}`,
    description: `The objective is ${objective.target * 100} %. At this pace a month's error budget is gone in days.`,
    dashboard: "overview",
  }),
  alert(`${prefix}SlowBurn`, {
    expr: `(${burns(objective, 3, "1d", "2h")})\nor\n(${burns(objective, 1, "3d", "6h")})`,
    for: "15m",
    severity: "ticket",
    summary: `{{ $value | humanizePercentage }} of ${what}`,
    description: `The objective is ${objective.target * 100} %. At this pace a month's error budget does not last.`,
    dashboard: "overview",
  }),
];

const of = (name: MetricName): string => prometheusName(name);
/** Of shared state `max` is right for any number of reporters. */
const worst = (name: MetricName): string => `max by (${LABEL.group}) (${of(name)})`;
const lag = `sum by (${LABEL.group}) (max by (${LABEL.group}, ${LABEL.stream}) (${of(names.SIGNUP_STREAM_LAG)}))`;
/** A counter that begins with its first event: it is compared with itself, or with nothing. */
const lostRepeatedly = `sum by (${LABEL.group}) (${of(names.SIGNUP_LOST_REPEATEDLY)})`;
const group = `{{ $labels.${LABEL.group} }}`;
const consumersAlive = `count by (${LABEL.group}) (${of(names.SIGNUP_IN_FLIGHT_LIMIT)})`;
const isNotOrphaned = `unless on (${LABEL.group}) ${worst(names.SIGNUP_GROUP_ORPHANED)} == 1`;
const isNotPaused = `unless on (${LABEL.group}) ${worst(names.SIGNUP_PAUSED)} == 1`;

/** Alerts of a consumer group. */
const groupAlerts: readonly Alert[] = [
  alert("SignupMailsWait", {
    expr: `${worst(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)} > 300\n${isNotPaused}\n${isNotOrphaned}`,
    for: "5m",
    severity: "page",
    summary: oldestWaits(`Work of ${group} waits`, "{{ $value | humanizeDuration }}"),
    description:
      "Work, such as a mail that somebody waits for, is neither done nor delayed until a retry. Nothing is lost.",
    dashboard: "consumer-groups",
  }),
  alert("SignupLagNotReduced", {
    expr: `(${lag} > 100)\nand (${lag} >= ${lag.replace(of(names.SIGNUP_STREAM_LAG), `${of(names.SIGNUP_STREAM_LAG)} offset 10m`)})\n${isNotPaused}\n${isNotOrphaned}`,
    for: "10m",
    severity: "page",
    summary: `${group} is {{ $value }} entries behind, and no consumer reduces it`,
    description: "For 20 minutes at least as many entries have come in as were read.",
    dashboard: "consumer-groups",
  }),
  alert("SignupLagUnknown", {
    expr: `${worst(names.SIGNUP_STREAM_LAG_UNKNOWN)} == 1`,
    for: "10m",
    severity: "ticket",
    summary: `Redis does not know the lag of ${group}`,
    description:
      "Autoscaling by lag reads this as nothing to do. The backlog trigger keeps a consumer while work is unfinished.",
    dashboard: "consumer-groups",
  }),
  alert("SignupNoConsumer", {
    expr: `${worst(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE)} > 0\nunless on (${LABEL.group}) ${consumersAlive} > 0\n${isNotOrphaned}`,
    for: "5m",
    severity: "page",
    summary: `${noConsumerRuns(group)}, and it has work`,
    description: "No process reports that it reads this group. Signups go on; mails wait.",
    dashboard: "consumer-groups",
  }),
  alert("SignupDeadLetters", {
    expr: `${worst(names.SIGNUP_DEAD)} - min_over_time((${worst(names.SIGNUP_DEAD)})[15m:1m]) > 0`,
    severity: "ticket",
    summary: `${deadLettersOf("{{ $value }} new dead letters", group)} within 15 minutes`,
    description: "They are not attempted again until an operator retries them.",
    dashboard: "consumer-groups",
  }),
  alert("SignupLostRepeatedly", {
    expr: `${lostRepeatedly} - (sum by (${LABEL.group}) (${of(names.SIGNUP_LOST_REPEATEDLY)} offset 1h) or ${lostRepeatedly} * 0) > 0`,
    severity: "ticket",
    summary: areHeld("{{ $value }} deliveries", "are", group, "lost_repeatedly"),
    description: "The reconciler published each of them ten times, and no consumer ever had it.",
    dashboard: "consumer-groups",
  }),
  alert("SignupBreakerOpen", {
    expr: `${worst(names.SIGNUP_BREAKER_STATE)} == 2`,
    for: "5m",
    severity: "page",
    summary: `Of a consumer, ${unnamedSystem(group)} fails`,
    description:
      "The system behind the group (a mail server, a receiver of webhooks) fails as a whole, so only probes are attempted; or it declines everything. No attempt is used up.",
    dashboard: "consumer-groups",
  }),
  alert("SignupPartyRefuses", {
    expr: `${worst(names.SIGNUP_PARTIES_WAITING)} > 0`,
    for: "15m",
    severity: "ticket",
    summary: partiesRefuse("{{ $value }} domains refuse or defer", "mail", group),
    description: "What is for them is held or waits, and uses up no attempt. Nobody else waits for it.",
    dashboard: "consumer-groups",
  }),
  alert("SignupGroupOrphaned", {
    expr: `${worst(names.SIGNUP_GROUP_ORPHANED)} == 1`,
    for: "1h",
    severity: "ticket",
    summary: `${group} is orphaned, and holds back trimming`,
    description: "No code knows this group any more. The stream grows in Redis' memory as long as the group exists.",
    dashboard: "consumer-groups",
  }),
  alert("SignupGroupPaused", {
    expr: `${worst(names.SIGNUP_PAUSED)} == 1`,
    for: "1h",
    severity: "ticket",
    summary: `${isPaused(group)}, for an hour by now`,
    description: "Work waits, and alerts on waiting are silent for this group meanwhile.",
    dashboard: "consumer-groups",
  }),
];

/** Reports that the address is at fault, or its owner wants no mail. */
const returned = `${of(names.MAIL_BOUNCES)}{${LABEL.bounce}=~"hard|complaint"}`;
const mailsTaken = `${of(names.SIGNUP_TIME_TO_INBOX)}_count`;

/** Alerts on what comes back after it was sent. */
const bounceAlerts: readonly Alert[] = [
  alert("SignupBouncesRise", {
    expr: `sum(increase(${returned}[6h])) > 0.05 * sum(increase(${mailsTaken}[6h]))\nand sum(increase(${returned}[6h])) > 10`,
    for: "15m",
    severity: "ticket",
    summary: "{{ $value }} mails came back for good within 6 hours, more than 5 % of those that were sent",
    description:
      "Addresses that do not exist, or complaints. Mailbox providers soon refuse all mail of a sender with so many; each address is suppressed.",
    dashboard: "consumer-groups",
  }),
];

/** Alerts on what comes before Redis, and on the metrics themselves. */
const storeAlerts: readonly Alert[] = [
  alert("SignupOutboxWaits", {
    expr: `max(${of(names.SIGNUP_OUTBOX_OLDEST_AGE)}) > 60`,
    for: "5m",
    severity: "page",
    summary: waitInOutbox("events have", "for {{ $value | humanizeDuration }}"),
    description: "It is safe in Postgres, and is published as soon as Redis accepts writes.",
    dashboard: "overview",
  }),
  alert("SignupUnmeasured", {
    expr: `absent(${of(names.SIGNUP_PAUSED)})`,
    for: "10m",
    severity: "ticket",
    summary: "No api reports the state of the consumer groups",
    description: "No api is alive, none reaches Redis, or metrics do not arrive. Alerts on groups are blind.",
    dashboard: "overview",
  }),
];

/** Metrics of KEDA and of kube-state-metrics that alerts read. Where neither is scraped, these alerts stay silent. */
export const AUTOSCALER_METRICS = {
  errors: "keda_scaled_object_errors_total",
  condition: "kube_horizontalpodautoscaler_status_condition",
  replicas: "kube_horizontalpodautoscaler_status_current_replicas",
} as const;

/** Of one of our autoscalers, whatever its instance is called, with the name of the Deployment as the only label. */
const byDeployment = (operation: "sum" | "max", series: string, label: string, prefix = ""): string =>
  `${operation} by (deployment) (label_replace(${series}, "deployment", "$1", "${label}", "${prefix}(.+)"))`;

const OURS = "(.+-)?consumer-.+";
const ofHpa = (metric: string, matchers = ""): string =>
  byDeployment(
    "max",
    `${metric}{horizontalpodautoscaler=~"keda-hpa-${OURS}"${matchers}}`,
    "horizontalpodautoscaler",
    "keda-hpa-",
  );
const scalerErrors = byDeployment(
  "sum",
  `increase(${AUTOSCALER_METRICS.errors}{scaledObject=~"${OURS}"}[5m])`,
  "scaledObject",
);
const isNotScaling = ofHpa(AUTOSCALER_METRICS.condition, ', condition="ScalingActive", status="false"');

/** Alerts on the autoscaler. An HPA scales nothing while there are no replicas, which is no fault. */
const scalingAlerts: readonly Alert[] = [
  alert("SignupScalingBlind", {
    expr: `(${scalerErrors} > 0)\nor\n(${isNotScaling} == 1 and ${ofHpa(AUTOSCALER_METRICS.replicas)} > 0)`,
    for: "10m",
    severity: "ticket",
    summary: "KEDA cannot count the work of {{ $labels.deployment }}",
    description: "The consumers that run work on, and their number does not follow the work. From zero nothing starts.",
    dashboard: "overview",
  }),
];

/** All alerts, in the groups in which Prometheus evaluates them. */
export const ALERT_GROUPS: readonly { readonly name: string; readonly rules: readonly Alert[] }[] = [
  {
    name: "signup-objectives",
    rules: [
      ...burnAlerts("SignupInbox", INBOX, "the mails took more than 60 s"),
      ...burnAlerts("SignupAccept", ACCEPT, "the signups failed or took more than 0.5 s"),
    ],
  },
  { name: "signup-groups", rules: groupAlerts },
  { name: "signup-bounces", rules: bounceAlerts },
  { name: "signup-stores", rules: storeAlerts },
  { name: "signup-scaling", rules: scalingAlerts },
];
