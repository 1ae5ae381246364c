import type { WebhookResult } from "../../runtime/webhook/send.ts";
import { refusesEvent } from "../../runtime/webhook/statuses.ts";
import type { Outcome } from "../engine/handler.ts";

/** Longest delay that grows with an event's age, in ms. */
const AGE_CAP_MS = 3_600_000;
/** The share of its age that an event waits for its next attempt: it grows by a quarter with each. */
const AGE_SHARE = 4;

/**
 * How long a receiver asks that nothing be sent to it, in ms: `Retry-After` of a 429 or 503. It concerns every event, not
 * only the one that was sent; undefined: it does not ask. Pure.
 */
export const patienceMs = (result: WebhookResult): number | undefined =>
  result.kind === "answered" && (result.status === 429 || result.status === 503) ? result.retryAfterMs : undefined;

/** Reason of a group that is paused because its receiver wants no more. */
export const RECEIVER_GONE = "receiver_gone";

/**
 * The outcome of a request. Pure. A receiver that fails uses up no attempt: its webhooks wait, until they expire.
 *
 * | result                                | outcome                                                             |
 * | ------------------------------------- | ------------------------------------------------------------------- |
 * | 2xx                                   | done                                                                |
 * | 410                                   | unavailable; the group is paused                                    |
 * | 429, 503                              | unavailable, for as long as `Retry-After` says                      |
 * | 408, 5xx, no answer in time           | unavailable; the delay grows with the event's age, to an hour       |
 * | 401, 403, 404 and the like; 1xx, 3xx  | the same: the receiver is set up wrongly, the event is not at fault |
 * | other 4xx                             | rejected                                                            |
 * | no connection, TLS, a refused address | unavailable, with the delays of any system that is down             |
 */
export const classify = (result: WebhookResult, { ageMs }: { readonly ageMs: number }): Outcome => {
  const growing = { minDelayMs: Math.min(AGE_CAP_MS, Math.floor(ageMs / AGE_SHARE)) };
  if (result.kind === "stopped") return { kind: "released", reason: "stopped" };
  if (result.kind === "failed") {
    const { reason } = result;
    return { kind: "unavailable", reason, ...(reason === "timeout" ? growing : {}) };
  }
  const { status } = result;
  const answered = { reply: String(status) };
  const reason = `status_${status}`;
  if (status >= 200 && status <= 299) return { kind: "done", ...answered };
  if (status === 410) return { kind: "unavailable", reason: RECEIVER_GONE, ...answered, pausesGroup: true };
  if (refusesEvent(status)) return { kind: "rejected", reason, ...answered };
  const isRedirect = status >= 300 && status <= 399;
  const minDelayMs = patienceMs(result) ?? growing.minDelayMs;
  return { kind: "unavailable", reason: isRedirect ? "redirect_refused" : reason, ...answered, minDelayMs };
};
