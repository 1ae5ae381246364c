import {
  SIGNUP_BREAKER_STATE,
  SIGNUP_IN_FLIGHT,
  SIGNUP_IN_FLIGHT_LIMIT,
  SIGNUP_KEPT,
  SIGNUP_MAIL_RATE,
  SIGNUP_PARTIES_WAITING,
} from "../observability/metric-names.ts";
import { registerGauge } from "../observability/metrics.ts";
import type { BreakerState } from "./engine/breaker.ts";
import type { RunningGroup } from "./engine/group.ts";

/** In order of severity, so that `max` over consumers is the worst. */
const BREAKER: Readonly<Record<BreakerState, number>> = { closed: 0, recovering: 1, open: 2 };

/** Gauges of this consumer. */
export const registerConsumerGauges = (groups: readonly RunningGroup[]): void => {
  const each = (read: (group: RunningGroup) => number) => () =>
    groups.map((group) => ({
      value: read(group),
      attributes: { "messaging.consumer.group.name": group.name },
    }));
  registerGauge(
    SIGNUP_BREAKER_STATE,
    { unit: "{state}", description: "State of the breaker: 0 closed, 1 recovering, 2 open." },
    each((group) => BREAKER[group.breaker()]),
  );
  registerGauge(
    SIGNUP_IN_FLIGHT,
    { unit: "{entry}", description: "Entries in flight in this consumer." },
    each((group) => group.inFlight()),
  );
  registerGauge(
    SIGNUP_IN_FLIGHT_LIMIT,
    { unit: "{entry}", description: "Maximum entries in flight in this consumer." },
    each((group) => group.concurrency),
  );
  registerGauge(
    SIGNUP_KEPT,
    { unit: "{entry}", description: "Entries that are read and wait, because much like them was in vain lately." },
    each((group) => group.kept()),
  );
  registerGauge(
    SIGNUP_PARTIES_WAITING,
    { unit: "{party}", description: "Parties that refuse or defer everything, and so wait." },
    each((group) => group.waitingParties()),
  );
  registerGauge(
    SIGNUP_MAIL_RATE,
    { unit: "{mail}/s", description: "Mails a second that all consumers together may send now." },
    () =>
      groups.flatMap((group) => {
        const value = group.ratePerSecond();
        return value === undefined ? [] : [{ value, attributes: { "messaging.consumer.group.name": group.name } }];
      }),
  );
};
