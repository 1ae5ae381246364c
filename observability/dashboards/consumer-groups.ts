import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import * as names from "../metric-names.ts";
import { DASHBOARDS, frame, OF_GROUP } from "./frame.ts";
import { graph, number } from "./panels.ts";
import { LABEL } from "./prometheus-names.ts";
import { gauge, percentiles, rateOf, shared } from "./promql.ts";
import { outcomesTable } from "./tables.ts";

const byGroup = [LABEL.group];
const groupLegend = `{{${LABEL.group}}}`;
const outcome = (words: string): string => `${OF_GROUP}, ${LABEL.outcome}=~"${words}"`;
const allOf = (name: Parameters<typeof shared>[0]): string => `sum(${shared(name, OF_GROUP, byGroup)})`;
const lag = `sum(${shared(names.SIGNUP_STREAM_LAG, OF_GROUP, [LABEL.group, LABEL.stream])})`;

/** Metrics of kube-state-metrics, where there is one: what the autoscaler wants. Not ours, so not in `metric-names.ts`. */
export const FOREIGN_METRICS = [
  "kube_horizontalpodautoscaler_status_desired_replicas",
  "kube_horizontalpodautoscaler_spec_max_replicas",
] as const;
const [desired, most] = FOREIGN_METRICS;
const ofAutoscaler = 'horizontalpodautoscaler=~".*($group).*"';

/** Do consumers keep up, do they scale, and what becomes of what they try? */
export const consumerGroupsDashboard = (): Dashboard =>
  frame(DASHBOARDS.groups, "Do consumers keep up, do they scale, and what becomes of their tries?", [
    {
      title: "Now",
      panels: [
        number({
          title: "Unread",
          description: "Entries that no consumer has read (lag), the events' and the retries' streams together.",
          unit: "short",
          width: 4,
          lines: [{ expr: lag, legend: "unread" }],
          limits: { warn: 100, bad: 1_000 },
        }),
        number({
          title: "In hand",
          description:
            "Entries that were read and not acked (pending). More than consumers can hold: some of them died.",
          unit: "short",
          width: 3,
          lines: [{ expr: allOf(names.SIGNUP_STREAM_PENDING), legend: "in hand" }],
        }),
        number({
          title: "Oldest unfinished",
          description: "How long the oldest entry waits that is unread or in hand. Above 5 minutes it pages.",
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
          lines: [{ expr: `count(${gauge(names.SIGNUP_IN_HAND_LIMIT, OF_GROUP)})`, legend: "alive" }],
        }),
        number({
          title: "Dead letters",
          description: "Mails that were given up. `bun run ops dead list` says why.",
          unit: "short",
          width: 3,
          lines: [{ expr: allOf(names.SIGNUP_DEAD), legend: "dead" }],
          limits: { warn: 1, bad: 100 },
        }),
        number({
          title: "Breaker",
          description: "Whether consumers trust the mail server; the worst of them. Open: single mails are not tried.",
          unit: "short",
          width: 3,
          lines: [{ expr: `max(${gauge(names.SIGNUP_BREAKER_STATE, OF_GROUP)})`, legend: "breaker" }],
          limits: { warn: 1, bad: 2 },
          words: { 0: "closed", 1: "recovering", 2: "OPEN" },
        }),
        number({
          title: "Reading",
          description: "Whether somebody paused one of the groups. `bun run ops resume <group>` lets it go on.",
          unit: "short",
          width: 4,
          lines: [{ expr: shared(names.SIGNUP_PAUSED, OF_GROUP), legend: "paused" }],
          limits: { bad: 1 },
          words: { 0: "yes", 1: "PAUSED" },
        }),
      ],
    },
    {
      title: "Does it keep up, does it scale",
      panels: [
        graph({
          title: "Lag and consumers",
          description:
            "Autoscaling at work: what waits (left axis) against consumers (right axis). Desired and most replicas need kube-state-metrics.",
          unit: "short",
          width: 16,
          height: 10,
          lines: [
            { expr: lag, legend: "unread" },
            { expr: allOf(names.SIGNUP_STREAM_PENDING), legend: "in hand" },
            { expr: allOf(names.SIGNUP_RETRYING), legend: "wait for a retry" },
            { expr: `count(${gauge(names.SIGNUP_IN_HAND_LIMIT, OF_GROUP)})`, legend: "consumers" },
            { expr: `sum(${desired}{${ofAutoscaler}})`, legend: "consumers, desired" },
            { expr: `sum(${most}{${ofAutoscaler}})`, legend: "consumers, at most" },
          ],
        }).overrideByRegexp("/^consumers/", [
          { id: "custom.axisPlacement", value: "right" },
          { id: "custom.drawStyle", value: "line" },
          { id: "custom.lineInterpolation", value: "stepAfter" },
          { id: "custom.fillOpacity", value: 0 },
        ]),
        graph({
          title: "Oldest unfinished",
          description: "By group. A line that climbs at 45 degrees: nobody works on that entry.",
          unit: "s",
          width: 8,
          height: 10,
          lines: [{ expr: shared(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE, OF_GROUP, byGroup), legend: groupLegend }],
          limits: { bad: 300 },
        }),
        graph({
          title: "Lag by stream",
          description: "First tries (events) and tries again (retries). Absent while Redis does not know it.",
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
          description: "Entries per second that consumers were given: first tries, retries, and those of dead peers.",
          unit: "cps",
          width: 8,
          lines: [{ expr: rateOf(names.MESSAGING_CLIENT_CONSUMED_MESSAGES, OF_GROUP, byGroup), legend: groupLegend }],
        }),
        graph({
          title: "Trouble with the group itself",
          description:
            "1: Redis has forgotten the lag (autoscaling is blind); nobody reads the group any more (the stream grows).",
          unit: "short",
          width: 8,
          lines: [
            { expr: shared(names.SIGNUP_STREAM_LAG_UNKNOWN, OF_GROUP, byGroup), legend: `${groupLegend} lag unknown` },
            { expr: shared(names.SIGNUP_GROUP_FORGOTTEN, OF_GROUP, byGroup), legend: `${groupLegend} forgotten` },
          ],
          limits: { bad: 1 },
        }),
      ],
    },
    {
      title: "What becomes of tries",
      panels: [
        graph({
          title: "Outcomes",
          description:
            "Tries per second: sent, transient (again later), permanent (dead), system (the mail server), uncertain.",
          unit: "cps",
          width: 8,
          lines: [
            {
              expr: rateOf(names.MESSAGING_PROCESS_DURATION, OF_GROUP, [LABEL.outcome], "_count"),
              legend: `{{${LABEL.outcome}}}`,
            },
          ],
        }),
        graph({
          title: "Retries by reason",
          description: "Tries per second that have to be made again, by what the mail server said or did.",
          unit: "cps",
          width: 8,
          lines: [
            {
              expr: rateOf(
                names.MESSAGING_PROCESS_DURATION,
                outcome("transient|system|uncertain"),
                [LABEL.errorType],
                "_count",
              ),
              legend: `{{${LABEL.errorType}}}`,
            },
          ],
        }),
        graph({
          title: "Time of a try",
          description: "One try, settling included.",
          unit: "s",
          width: 8,
          lines: percentiles(names.MESSAGING_PROCESS_DURATION, OF_GROUP),
        }),
        outcomesTable(16),
        graph({
          title: "Saved",
          description:
            "Since their processes started: entries taken over from dead peers, mails put back that Redis lost, tries that nobody knows the end of. A step up is one more.",
          unit: "short",
          width: 8,
          // Totals, not rates: of a counter that appears with its first event, `rate` never sees that event.
          lines: [
            { expr: `sum(${gauge(names.SIGNUP_CLAIMED, OF_GROUP)})`, legend: "taken over" },
            { expr: `sum(${gauge(names.SIGNUP_RECONCILED, OF_GROUP)})`, legend: "put back" },
            {
              expr: `sum by (${LABEL.cause}) (${gauge(names.MAIL_UNCERTAIN, OF_GROUP)})`,
              legend: `uncertain, {{${LABEL.cause}}}`,
            },
          ],
        }),
      ],
    },
    {
      title: "Per consumer",
      panels: [
        graph({
          title: "In hand, of what it can hold",
          description:
            "At 100 % everywhere: more consumers help. Near 0 with a lag: they cannot reach Redis, or the breaker is open.",
          unit: "percentunit",
          width: 8,
          lines: [
            {
              expr: `${gauge(names.SIGNUP_IN_HAND, OF_GROUP)} / ${gauge(names.SIGNUP_IN_HAND_LIMIT, OF_GROUP)}`,
              legend: "{{instance}}",
            },
          ],
          limits: { warn: 0.9, bad: 1 },
        }),
        graph({
          title: "Tries per consumer",
          description: "One that lies below its peers is slow, or its share is claimed by them.",
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
          title: "SMTP connections, of what it may open",
          description: "At 100 %: MAIL_POOL_SIZE holds it back, not the number of consumers.",
          unit: "percentunit",
          width: 8,
          lines: [
            {
              expr: `${gauge(names.SIGNUP_SMTP_CONNECTIONS_BUSY)} / ${gauge(names.SIGNUP_SMTP_CONNECTIONS_LIMIT)}`,
              legend: "{{instance}}",
            },
          ],
          limits: { warn: 0.9, bad: 1 },
        }),
        graph({
          title: "Consumers that Redis knows",
          description: "Names in the group. More than are alive: of those that died, until they are removed.",
          unit: "short",
          width: 8,
          lines: [
            { expr: shared(names.SIGNUP_CONSUMERS, OF_GROUP, byGroup), legend: `${groupLegend}, known` },
            {
              expr: `count by (${LABEL.group}) (${gauge(names.SIGNUP_IN_HAND_LIMIT, OF_GROUP)})`,
              legend: `${groupLegend}, alive`,
            },
          ],
        }),
        graph({
          title: "Dead letters",
          description: "A step up is new ones; a step down is an operator's work.",
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
