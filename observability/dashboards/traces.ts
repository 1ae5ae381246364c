import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { DASHBOARDS, frame } from "./frame.ts";
import { graph } from "./panels.ts";
import { durations, serviceMap, traceTable } from "./trace-panels.ts";

/** The metric that Tempo derives from a producer's and a consumer's span: how long an entry waited between them. */
export const MADE_BY_TEMPO = "traces_service_graph_request_messaging_system_seconds_bucket";

const WHAT = "span.signup.outcome, span.error.type, span.signup.delivery.attempt, span.signup.delivery.reason";
const PROCESS = 'span.messaging.operation.name = "process"';

const variables = () => [
  new dashboard.TextBoxVariableBuilder("event")
    .label("Event id")
    .description("Of one signup, as in the API's answer and in `ops find`.")
    .defaultValue(""),
  new dashboard.TextBoxVariableBuilder("slower")
    .label("Slower than")
    .description("What counts as a slow journey: 500ms, 5s, 2m.")
    .defaultValue("5s"),
  new dashboard.TextBoxVariableBuilder("reason")
    .label("Reason")
    .description("Of a failed attempt, as a regular expression: greylisted, no_such_address, .*")
    .defaultValue(".*"),
];

const wait = (share: number): string =>
  `histogram_quantile(${share}, sum by (le) (rate(${MADE_BY_TEMPO}[$__rate_interval])))`;

/** Where is this one signup, why did that one fail, and where does time go? */
export const tracesDashboard = (): dashboard.Dashboard =>
  frame(
    DASHBOARDS.traces,
    "Where is this one signup, why did that one fail, and where does time go between the API, Redis and the mail server?",
    [
      {
        title: "One signup",
        panels: [
          traceTable(
            {
              title: "The signup with this event id",
              description:
                "Paste an event id above. One row: its journey; with TRACE_HOP=link a row for each attempt, too.",
              query: `{ span.cloudevents.event_id = "\${event}" }`,
              width: 24,
              height: 5,
            },
            "traces",
          ),
        ],
      },
      {
        title: "Journeys",
        panels: [
          traceTable(
            {
              title: "Slowest journeys",
              description: "From the request to the mail server, of those whose mail was sent.",
              query: `{ span.signup.outcome = "done" && trace:duration > \${slower} } | select(span.cloudevents.event_id)`,
              width: 12,
            },
            "traces",
          ),
          traceTable(
            {
              title: "Journeys of more than one attempt",
              description: "The mail server deferred it, or a consumer died.",
              query:
                "{ span.signup.delivery.attempt > 1 } | select(span.cloudevents.event_id, span.signup.delivery.attempt)",
              width: 12,
            },
            "traces",
          ),
          traceTable(
            {
              title: "Failed attempts",
              description: "Single attempts, with the mail server's answer. Narrow them by reason above.",
              query: `{ ${PROCESS} && status = error && span.error.type =~ "\${reason}" } | select(span.cloudevents.event_id, ${WHAT})`,
              width: 12,
            },
            "spans",
          ),
          traceTable(
            {
              title: "Claimed from a consumer that died",
              description: "Attempts on entries of a dead peer.",
              query: `{ span.signup.delivery.reason = "claim" } | select(span.cloudevents.event_id, span.messaging.client.id, ${WHAT})`,
              width: 12,
            },
            "spans",
          ),
          traceTable(
            {
              title: "Slowest signup requests",
              description: "What the person waited for before the answer: hashing, Postgres, or a queue for either.",
              query: '{ name = "POST /api/v1/user/" && duration > 250ms } | select(span.http.response.status_code)',
              width: 12,
            },
            "spans",
          ),
          traceTable(
            {
              title: "What the mail server refused",
              description: "Answers of the mail server other than 250.",
              query:
                '{ name = "send email" && status = error } | select(span.server.address, span.smtp.response.status_code, span.smtp.response.enhanced_status_code, span.signup.smtp.phase)',
              width: 12,
            },
            "spans",
          ),
        ],
      },
      {
        title: "Where time goes",
        panels: [
          durations({
            title: "API",
            description: "Request to answer. A dot is one request; a click opens its trace.",
            query: '{ name = "POST /api/v1/user/" } | quantile_over_time(duration, 0.5, 0.95, 0.99)',
            width: 6,
          }),
          graph({
            title: "Wait in the stream",
            description:
              "From XADD to a consumer's attempt, retries included. Derived by Tempo's metrics generator from the spans on both sides.",
            unit: "s",
            width: 6,
            lines: [0.5, 0.95, 0.99].map((share) => ({ expr: wait(share), legend: `${share * 100} %` })),
            limits: { bad: 60 },
          }),
          durations({
            title: "SMTP",
            description: "Sending one mail, including the wait for a connection.",
            query: '{ name = "send email" } | quantile_over_time(duration, 0.5, 0.95, 0.99)',
            width: 6,
          }),
          durations({
            title: "Settling",
            description: "Recording the outcome in Postgres and acknowledging in Redis.",
            query: '{ span.messaging.operation.name = "settle" } | quantile_over_time(duration, 0.5, 0.95, 0.99)',
            width: 6,
          }),
          durations({
            title: "Attempt duration by outcome",
            description: "Median duration of an attempt by its outcome.",
            query: `{ ${PROCESS} } | quantile_over_time(duration, 0.5) by (span.signup.outcome)`,
            width: 8,
          }),
          serviceMap({
            title: "Who calls whom",
            description:
              "The edge from the API to the consumer is the stream. Needs span metrics and service graphs of Tempo.",
            width: 16,
          }),
        ],
      },
    ],
    variables(),
  );
