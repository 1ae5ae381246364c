import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { ACCEPT, burnRate, INBOX, SIGNUP_REQUEST } from "../alerts/objectives.ts";
import * as names from "../metric-names.ts";
import { DASHBOARDS, frame } from "./frame.ts";
import { graph, number } from "./panels.ts";
import { LABEL } from "./prometheus-names.ts";
import { gauge, percentiles, quantile, rateOf, shared, WINDOW } from "./promql.ts";
import { durations } from "./trace-panels.ts";

const good = (objective: typeof INBOX): string => `${objective.good(WINDOW)} / ${objective.all(WINDOW)}`;

/** Is it healthy, how long do people wait, and where does work wait? */
export const signupsDashboard = (): Dashboard =>
  frame(DASHBOARDS.overview, "Is signing up healthy, and how long does a person wait for the mail?", [
    {
      title: "Now",
      panels: [
        number({
          title: "Signups",
          description: "Accepted signups per second. Zero when there should be some: look at the errors.",
          unit: "reqps",
          width: 4,
          lines: [
            {
              expr: rateOf(
                names.HTTP_SERVER_REQUEST_DURATION,
                `${SIGNUP_REQUEST}, ${LABEL.status}="201"`,
                [],
                "_count",
              ),
              legend: "accepted",
            },
          ],
        }),
        number({
          title: "Mails later than 60 s",
          description:
            "Share of mails that the mail server accepted later than 60 s after the signup. The objective allows 1 %.",
          unit: "percentunit",
          width: 4,
          decimals: 2,
          lines: [{ expr: `1 - (${good(INBOX)})`, legend: "late" }],
          limits: { warn: 0.01, bad: 0.06 },
        }),
        number({
          title: "Time to inbox, 99 %",
          description: "99 of 100 people wait no longer than this, of those whose mail was sent.",
          unit: "s",
          width: 4,
          lines: [{ expr: quantile(0.99, names.SIGNUP_TIME_TO_INBOX), legend: "99 %" }],
          limits: { warn: 30, bad: 60 },
        }),
        number({
          title: "Longest wait in a stream",
          description: "How long the oldest entry that is unread or in flight has waited. Above 5 minutes it pages.",
          unit: "s",
          width: 4,
          lines: [{ expr: shared(names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE), legend: "oldest" }],
          limits: { warn: 60, bad: 300 },
        }),
        number({
          title: "Longest wait in the outbox",
          description: "How long the oldest committed signup has waited for Redis. Above a minute it pages.",
          unit: "s",
          width: 4,
          lines: [{ expr: shared(names.SIGNUP_OUTBOX_OLDEST_AGE), legend: "oldest" }],
          limits: { warn: 10, bad: 60 },
        }),
        number({
          title: "Dead letters",
          description: "Entries that were dead-lettered. `bun run ops dead list` says why.",
          unit: "short",
          width: 4,
          lines: [{ expr: `sum(${shared(names.SIGNUP_DEAD, "", [LABEL.group])})`, legend: "dead" }],
          limits: { warn: 1, bad: 100 },
        }),
      ],
    },
    {
      title: "What people experience",
      panels: [
        graph({
          title: "Signup requests by status",
          description: "201 accepted, 400 taken, 422 invalid, 5xx our fault.",
          unit: "reqps",
          width: 8,
          lines: [
            {
              expr: rateOf(names.HTTP_SERVER_REQUEST_DURATION, SIGNUP_REQUEST, [LABEL.status], "_count"),
              legend: `{{${LABEL.status}}}`,
            },
          ],
        }),
        graph({
          title: "Time to accept",
          description: "From the request to the answer. The objective: 99 % within 0.5 s.",
          unit: "s",
          width: 8,
          lines: percentiles(names.HTTP_SERVER_REQUEST_DURATION, SIGNUP_REQUEST),
          limits: { bad: ACCEPT.seconds },
        }),
        graph({
          title: "Time to inbox",
          description:
            "From the signup's commit to the mail server's 250, which accepts the mail. The objective: 99 % within 60 s.",
          unit: "s",
          width: 8,
          lines: percentiles(names.SIGNUP_TIME_TO_INBOX),
          limits: { bad: INBOX.seconds },
        }),
        graph({
          title: "Burn rate of the error budget",
          description: "1: the budget lasts exactly a month. Above 14.4 over an hour, or 6 over six hours, it pages.",
          unit: "short",
          width: 8,
          lines: [
            { expr: burnRate(INBOX, "1h"), legend: "inbox, 1 h" },
            { expr: burnRate(INBOX, "6h"), legend: "inbox, 6 h" },
            { expr: burnRate(ACCEPT, "1h"), legend: "accept, 1 h" },
            { expr: burnRate(ACCEPT, "6h"), legend: "accept, 6 h" },
          ],
          limits: { warn: 6, bad: 14.4 },
        }),
        durations({
          title: "Time to accept, with traces",
          description: "The same from traces: each dot is one signup; a click opens its trace.",
          query: '{ name = "POST /api/v1/user/" } | quantile_over_time(duration, 0.5, 0.99)',
          width: 8,
        }),
        durations({
          title: "Attempt duration, with traces",
          description: "From traces: each dot is one attempt; a click opens its trace.",
          query: '{ span.messaging.operation.name = "process" } | quantile_over_time(duration, 0.5, 0.99)',
          width: 8,
        }),
      ],
    },
    {
      title: "Where work waits",
      panels: [
        graph({
          title: "Where work waits",
          description: "In the order of a signup's way. Work piles up before the step that is slow.",
          unit: "short",
          width: 8,
          lines: [
            { expr: `sum(${gauge(names.SIGNUP_PASSWORD_HASH_WAITING)})`, legend: "passwords to hash" },
            { expr: shared(names.SIGNUP_OUTBOX_ROWS), legend: "outbox" },
            { expr: `sum(${shared(names.SIGNUP_STREAM_LAG, "", [LABEL.group, LABEL.stream])})`, legend: "unread" },
            { expr: `sum(${shared(names.SIGNUP_STREAM_PENDING, "", [LABEL.group])})`, legend: "in flight" },
            { expr: `sum(${shared(names.SIGNUP_RETRYING, "", [LABEL.group])})`, legend: "delayed" },
          ],
        }),
        graph({
          title: "Flow",
          description:
            "Accepted, published, delivered, sent. Where two lines diverge, work waits between them; deliveries include retries.",
          unit: "cps",
          width: 8,
          lines: [
            {
              expr: rateOf(
                names.HTTP_SERVER_REQUEST_DURATION,
                `${SIGNUP_REQUEST}, ${LABEL.status}="201"`,
                [],
                "_count",
              ),
              legend: "accepted",
            },
            { expr: rateOf(names.MESSAGING_CLIENT_SENT_MESSAGES), legend: "published" },
            { expr: rateOf(names.MESSAGING_CLIENT_CONSUMED_MESSAGES), legend: "delivered" },
            { expr: rateOf(names.SIGNUP_TIME_TO_INBOX, "", [], "_count"), legend: "sent" },
          ],
        }),
        graph({
          title: "Deliveries by state",
          description:
            "The latest 100,000 deliveries in the ledger: waiting, queued, active, retrying, uncertain, held, done, dead, suppressed, cancelled.",
          unit: "short",
          width: 8,
          lines: [
            {
              expr: shared(names.SIGNUP_DELIVERIES, "", [LABEL.group, LABEL.state]),
              legend: `{{${LABEL.group}}} {{${LABEL.state}}}`,
            },
          ],
        }),
        graph({
          title: "Held by reason",
          description: "What waits for an operator or until a time. `bun run ops held list` shows which.",
          unit: "short",
          width: 8,
          lines: [
            {
              expr: shared(names.SIGNUP_HELD, "", [LABEL.group, LABEL.reason]),
              legend: `{{${LABEL.group}}} {{${LABEL.reason}}}`,
            },
          ],
        }),
        graph({
          title: "Not admitted, by limit",
          description:
            "Signups and requests for another mail that were refused before they cost anything: 429 by a limit, 503 by the queue of passwords to hash.",
          unit: "reqps",
          width: 8,
          lines: [{ expr: rateOf(names.SIGNUP_ADMISSION_REFUSED, "", [LABEL.limit]), legend: `{{${LABEL.limit}}}` }],
        }),
        graph({
          title: "Wait for a hash",
          description: "How long a password waits until it is hashed. Above 2 s of work the queue refuses.",
          unit: "s",
          width: 8,
          lines: percentiles(names.SIGNUP_PASSWORD_HASH_WAIT),
        }),
      ],
    },
    {
      title: "Stores",
      panels: [
        graph({
          title: "Postgres, 95 % by statement",
          description: "Duration of statements as the service sees it, without the wait for a connection.",
          unit: "s",
          width: 12,
          lines: [
            {
              expr: `topk(8, ${quantile(0.95, names.DB_CLIENT_OPERATION_DURATION, "", [LABEL.summary])})`,
              legend: `{{${LABEL.summary}}}`,
            },
          ],
        }),
        graph({
          title: "Redis, XADD",
          description: "Duration of publishing one event, as the api and the relay see it.",
          unit: "s",
          width: 6,
          lines: percentiles(names.MESSAGING_CLIENT_OPERATION_DURATION),
        }),
        graph({
          title: "Published, by error",
          description: "Events sent to Redis per second: `ok` was confirmed, the rest by error.",
          unit: "cps",
          width: 6,
          lines: [
            {
              expr: `label_replace(${rateOf(names.MESSAGING_CLIENT_SENT_MESSAGES, "", [LABEL.errorType])}, "${LABEL.errorType}", "ok", "${LABEL.errorType}", "")`,
              legend: `{{${LABEL.errorType}}}`,
            },
          ],
        }),
      ],
    },
  ]);
