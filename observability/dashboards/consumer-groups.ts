import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import * as names from "../metric-names.ts";
import { attemptsRow } from "./attempt-panels.ts";
import { DASHBOARDS, frame, OF_GROUP } from "./frame.ts";
import { graph, number } from "./panels.ts";
import { LABEL } from "./prometheus-names.ts";
import { gauge, rateOf, shared } from "./promql.ts";
import { webhooksRow } from "./webhook-panels.ts";

const byGroup = [LABEL.group];
const groupLegend = `{{${LABEL.group}}}`;
const allOf = (name: Parameters<typeof shared>[0]): string => `sum(${shared(name, OF_GROUP, byGroup)})`;
const lag = `sum(${shared(names.SIGNUP_STREAM_LAG, OF_GROUP, [LABEL.group, LABEL.stream])})`;

/** Metrics of kube-state-metrics, where it runs: what the autoscaler wants. Not ours, so not in `metric-names.ts`. */
export const FOREIGN_METRICS = [
  "kube_horizontalpodautoscaler_status_desired_replicas",
  "kube_horizontalpodautoscaler_spec_max_replicas",
] as const;
const [desired, most] = FOREIGN_METRICS;
const ofAutoscaler = 'horizontalpodautoscaler=~".*($group).*"';

/** Do consumers keep up, do they scale, and how do their attempts end? */
export const consumerGroupsDashboard = (): Dashboard =>
  frame(DASHBOARDS.groups, "Do consumers keep up, do they scale, and how do their attempts end?", [
    {
      title: "Now",
      panels: [
        number({
          title: "Unread",
          description: "Entries that no consumer has read (lag), on the events and the retries stream together.",
          unit: "short",
          width: 4,
          lines: [{ expr: lag, legend: "unread" }],
          limits: { warn: 100, bad: 1_000 },
        }),
        number({
          title: "In flight",
          description:
            "Entries that were read and not acknowledged (pending). More than the consumers can hold: some of them died.",
          unit: "short",
          width: 3,
          lines: [{ expr: allOf(names.SIGNUP_STREAM_PENDING), legend: "in flight" }],
        }),
        number({
          title: "Oldest unfinished",
          description: "How long the oldest entry that is unread or in flight has waited. Above 5 minutes it pages.",
          unit: "s",
          width: 4,
          lines: [{ expr: shared(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE, OF_GROUP), legend: "oldest" }],
          limits: { warn: 60, bad: 300 },
        }),
        number({
          title: "Consumers alive",
          description: "Processes that report that they read these groups. Zero is fine while nothing waits.",
          unit: "short",
          width: 3,
          lines: [{ expr: `count(${gauge(names.SIGNUP_IN_FLIGHT_LIMIT, OF_GROUP)})`, legend: "alive" }],
        }),
        number({
          title: "Dead letters",
          description: "Entries that were dead-lettered. `bun run ops dead list` says why.",
          unit: "short",
          width: 3,
          lines: [{ expr: allOf(names.SIGNUP_DEAD), legend: "dead" }],
          limits: { warn: 1, bad: 100 },
        }),
        number({
          title: "Breaker",
          description:
            "The worst breaker of these groups' consumers. Open: the system behind the group fails, and only probes are attempted.",
          unit: "short",
          width: 3,
          lines: [{ expr: `max(${gauge(names.SIGNUP_BREAKER_STATE, OF_GROUP)})`, legend: "breaker" }],
          limits: { warn: 1, bad: 2 },
          words: { 0: "closed", 1: "recovering", 2: "OPEN" },
        }),
        number({
          title: "Reading",
          description: "Whether one of the groups is paused. `bun run ops resume <group>` resumes it.",
          unit: "short",
          width: 4,
          lines: [{ expr: shared(names.SIGNUP_PAUSED, OF_GROUP), legend: "paused" }],
          limits: { bad: 1 },
          words: { 0: "yes", 1: "PAUSED" },
        }),
      ],
    },
    {
      title: "Lag and scaling",
      panels: [
        graph({
          title: "Lag and consumers",
          description:
            "Autoscaling at work: waiting entries (left axis) against consumers (right axis). Desired and maximum replicas need kube-state-metrics.",
          unit: "short",
          width: 16,
          height: 10,
          lines: [
            { expr: lag, legend: "unread" },
            { expr: allOf(names.SIGNUP_STREAM_PENDING), legend: "in flight" },
            { expr: allOf(names.SIGNUP_RETRYING), legend: "delayed" },
            { expr: `count(${gauge(names.SIGNUP_IN_FLIGHT_LIMIT, OF_GROUP)})`, legend: "consumers" },
            { expr: `sum(${desired}{${ofAutoscaler}})`, legend: "consumers, desired" },
            { expr: `sum(${most}{${ofAutoscaler}})`, legend: "consumers, maximum" },
          ],
        }).overrideByRegexp("/^consumers/", [
          { id: "custom.axisPlacement", value: "right" },
          { id: "custom.drawStyle", value: "line" },
          { id: "custom.lineInterpolation", value: "stepAfter" },
          { id: "custom.fillOpacity", value: 0 },
        ]),
        graph({
          title: "Oldest unfinished",
          description: "By group. A line that climbs a second per second: nobody works on that entry.",
          unit: "s",
          width: 8,
          height: 10,
          lines: [{ expr: shared(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE, OF_GROUP, byGroup), legend: groupLegend }],
          limits: { bad: 300 },
        }),
        graph({
          title: "Lag by stream",
          description: "First deliveries (events) and retries. Absent while Redis reports no lag.",
          unit: "short",
          width: 8,
          lines: [
            {
              expr: shared(names.SIGNUP_STREAM_LAG, OF_GROUP, [LABEL.group, LABEL.stream]),
              legend: `${groupLegend} {{${LABEL.stream}}}`,
            },
          ],
        }),
        graph({
          title: "Deliveries",
          description:
            "Entries delivered to consumers per second: first deliveries, retries, and claims from dead peers.",
          unit: "cps",
          width: 8,
          lines: [{ expr: rateOf(names.MESSAGING_CLIENT_CONSUMED_MESSAGES, OF_GROUP, byGroup), legend: groupLegend }],
        }),
        graph({
          title: "Group health",
          description:
            "1: Redis reports no lag (autoscaling by lag sees nothing); the group is orphaned (the stream grows).",
          unit: "short",
          width: 8,
          lines: [
            { expr: shared(names.SIGNUP_STREAM_LAG_UNKNOWN, OF_GROUP, byGroup), legend: `${groupLegend} lag unknown` },
            { expr: shared(names.SIGNUP_GROUP_ORPHANED, OF_GROUP, byGroup), legend: `${groupLegend} orphaned` },
          ],
          limits: { bad: 1 },
        }),
      ],
    },
    attemptsRow(),
    webhooksRow(),
    {
      title: "Per consumer",
      panels: [
        graph({
          title: "In flight, of the limit",
          description:
            "At 100 % everywhere: more consumers help. Near 0 with a lag: they do not reach Redis, or the breaker is open.",
          unit: "percentunit",
          width: 8,
          lines: [
            {
              expr: `${gauge(names.SIGNUP_IN_FLIGHT, OF_GROUP)} / ${gauge(names.SIGNUP_IN_FLIGHT_LIMIT, OF_GROUP)}`,
              legend: "{{instance}}",
            },
          ],
          limits: { warn: 0.9, bad: 1 },
        }),
        graph({
          title: "Attempts per consumer",
          description: "A consumer below its peers is slow, or they claim its entries.",
          unit: "cps",
          width: 8,
          lines: [
            {
              expr: rateOf(names.MESSAGING_PROCESS_DURATION, OF_GROUP, ["instance"], "_count"),
              legend: "{{instance}}",
            },
          ],
        }),
        graph({
          title: "SMTP connections, of the limit",
          description:
            "At 100 %: MAIL_POOL_SIZE is the bottleneck, or what the mail server grants; not the number of consumers.",
          unit: "percentunit",
          width: 8,
          lines: [
            {
              expr: `${gauge(names.SIGNUP_SMTP_CONNECTIONS_BUSY)} / ${gauge(names.SIGNUP_SMTP_CONNECTIONS_LIMIT)}`,
              legend: "{{instance}}",
            },
            {
              expr: `${gauge(names.SIGNUP_SMTP_CONNECTIONS_GRANTED)} / ${gauge(names.SIGNUP_SMTP_CONNECTIONS_LIMIT)}`,
              legend: "{{instance}}, granted",
            },
          ],
          limits: { warn: 0.9, bad: 1 },
        }),
        graph({
          title: "Rate of mail",
          description:
            "Mails a second that all consumers together may send. Below MAIL_RATE_PER_SECOND: the mail server said `too fast`. Pace: what it grants one consumer; 0: no limit is known.",
          unit: "short",
          width: 8,
          lines: [
            { expr: `max(${gauge(names.SIGNUP_MAIL_RATE)})`, legend: "rate" },
            { expr: gauge(names.SIGNUP_SMTP_PACE), legend: "{{instance}}, pace" },
          ],
        }),
        graph({
          title: "Parties that wait",
          description:
            "Domains of recipients that refuse or defer everything. Their mail waits or is held; nobody else waits for it.",
          unit: "short",
          width: 8,
          lines: [{ expr: gauge(names.SIGNUP_PARTIES_WAITING, OF_GROUP), legend: "{{instance}}" }],
        }),
        graph({
          title: "Kept",
          description:
            "Entries that are read and wait, because much like them was in vain lately: what is likely to succeed goes first. They are pending, and not in flight.",
          unit: "short",
          width: 8,
          lines: [{ expr: gauge(names.SIGNUP_KEPT, OF_GROUP), legend: "{{instance}}" }],
        }),
        graph({
          title: "Registered consumers",
          description: "Names in the group. More than are alive: those of dead consumers, until they are removed.",
          unit: "short",
          width: 8,
          lines: [
            { expr: shared(names.SIGNUP_CONSUMERS, OF_GROUP, byGroup), legend: `${groupLegend}, registered` },
            {
              expr: `count by (${LABEL.group}) (${gauge(names.SIGNUP_IN_FLIGHT_LIMIT, OF_GROUP)})`,
              legend: `${groupLegend}, alive`,
            },
          ],
        }),
        graph({
          title: "Dead letters",
          description: "A step up: new ones; a step down: an operator retried or dropped some.",
          unit: "short",
          width: 8,
          lines: [{ expr: shared(names.SIGNUP_DEAD, OF_GROUP, byGroup), legend: groupLegend }],
        }),
        graph({
          title: "Breaker by consumer",
          description: "0 closed, 1 recovering, 2 open. One alone: that consumer's network; all: the mail server.",
          unit: "short",
          width: 8,
          lines: [{ expr: gauge(names.SIGNUP_BREAKER_STATE, OF_GROUP), legend: "{{instance}}" }],
          limits: { warn: 1, bad: 2 },
        }),
      ],
    },
  ]);
