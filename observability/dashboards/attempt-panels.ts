import * as names from "../metric-names.ts";
import { OF_GROUP, type Rows } from "./frame.ts";
import { graph } from "./panels.ts";
import { LABEL } from "./prometheus-names.ts";
import { gauge, percentiles, rateOf } from "./promql.ts";
import { outcomesTable } from "./tables.ts";

const outcome = (words: string): string => `${OF_GROUP}, ${LABEL.outcome}=~"${words}"`;

/** How the attempts of a group end, and how long they take. */
export const attemptsRow = (): Rows[number] => ({
  title: "Attempts",
  panels: [
    graph({
      title: "Outcomes",
      description:
        "Attempts per second: sent, transient (retried later), permanent (dead), system (the mail server), uncertain.",
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
      description: "Attempts per second that have to be repeated, by what the mail server said or did.",
      unit: "cps",
      width: 8,
      lines: [
        {
          expr: rateOf(
            names.MESSAGING_PROCESS_DURATION,
            outcome("transient|unavailable|uncertain"),
            [LABEL.errorType],
            "_count",
          ),
          legend: `{{${LABEL.errorType}}}`,
        },
      ],
    }),
    graph({
      title: "Attempt duration",
      description: "One attempt, settling included.",
      unit: "s",
      width: 8,
      lines: percentiles(names.MESSAGING_PROCESS_DURATION, OF_GROUP),
    }),
    outcomesTable(16),
    graph({
      title: "Recoveries",
      description:
        "Since the processes started: entries claimed from dead peers, deliveries that Redis lost and the reconciler published again, attempts whose result nobody knows, and those of them of which it became known that nothing was begun (taken back): the ledger counts the difference. A step up is one more.",
      unit: "short",
      width: 8,
      // Totals, not rates: of a counter that appears with its first event, `rate` never sees that event.
      lines: [
        { expr: `sum(${gauge(names.SIGNUP_CLAIMED, OF_GROUP)})`, legend: "claimed" },
        { expr: `sum(${gauge(names.SIGNUP_RECONCILED, OF_GROUP)})`, legend: "reconciled" },
        { expr: `sum(${gauge(names.SIGNUP_LOST_REPEATEDLY, OF_GROUP)})`, legend: "held, lost repeatedly" },
        {
          expr: `sum by (${LABEL.cause}) (${gauge(names.MAIL_UNCERTAIN, OF_GROUP)})`,
          legend: `uncertain, {{${LABEL.cause}}}`,
        },
        { expr: `sum(${gauge(names.MAIL_UNCERTAIN_TAKEN_BACK, OF_GROUP)})`, legend: "uncertain, taken back" },
      ],
    }),
    graph({
      title: "Bounces and complaints",
      description:
        "Reports on mails that had been accepted, since the APIs started, of all groups: hard and complaint suppress the address. A step up is one more.",
      unit: "short",
      width: 24,
      lines: [{ expr: `sum by (${LABEL.bounce}) (${gauge(names.MAIL_BOUNCES)})`, legend: `{{${LABEL.bounce}}}` }],
    }),
  ],
});
