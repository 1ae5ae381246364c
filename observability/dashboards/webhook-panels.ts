import { HTTP_CLIENT_REQUEST_DURATION } from "../metric-names.ts";
import type { Rows } from "./frame.ts";
import { graph } from "./panels.ts";
import { LABEL } from "./prometheus-names.ts";
import { quantile, rateOf } from "./promql.ts";

const byServer = [LABEL.server];

/** What the receivers of webhooks answer, and how fast. By their hosts: a request has no group. */
export const webhooksRow = (): Rows[number] => ({
  title: "Webhooks",
  panels: [
    graph({
      title: "Webhooks by receiver",
      description: "Requests per second, by the receiver's host, whatever it answers.",
      unit: "reqps",
      width: 8,
      lines: [
        {
          expr: rateOf(HTTP_CLIENT_REQUEST_DURATION, "", byServer, "_count"),
          legend: `{{${LABEL.server}}}`,
        },
      ],
    }),
    graph({
      title: "Webhooks that failed",
      description: "Requests per second that no 2xx answered, by host, and by status or what kept the answer away.",
      unit: "reqps",
      width: 8,
      lines: [
        {
          expr: rateOf(
            HTTP_CLIENT_REQUEST_DURATION,
            `${LABEL.errorType}!=""`,
            [LABEL.server, LABEL.errorType],
            "_count",
          ),
          legend: `{{${LABEL.server}}} {{${LABEL.errorType}}}`,
        },
      ],
    }),
    graph({
      title: "Webhook duration",
      description: "The slowest 5 % of the requests, by host. A receiver should answer before it does the work.",
      unit: "s",
      width: 8,
      lines: [{ expr: quantile(0.95, HTTP_CLIENT_REQUEST_DURATION, "", byServer), legend: `{{${LABEL.server}}}` }],
    }),
  ],
});
