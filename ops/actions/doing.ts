import { count, duration } from "../../runtime/quantity.ts";
import { isLate, isSilent, missesSigns } from "../../runtime/situation/facts.ts";
import { failedLately } from "../../runtime/situation/failed-lately.ts";
import type { ConsumerStatus } from "../../stream/group-status.ts";

/** What a consumer does now, and since when. */
export interface Doing {
  readonly kind: "working" | "waiting" | "failing" | "unknown";
  readonly words: string;
  /** null: it does not say. */
  readonly since: Date | null;
}

/** What a consumer does now, by its last report and how long ago that was; pure. */
export const doingOf = ({ silentMs, report }: ConsumerStatus, now: Date): Doing => {
  if (silentMs !== null && missesSigns({ silentMs })) {
    const since = new Date(now.getTime() - silentMs);
    const words = `silent since ${since.toISOString().slice(11, 19)} UTC`;
    return { kind: isSilent({ silentMs }) ? "failing" : "unknown", words, since };
  }
  if (report === null) return { kind: "unknown", words: "says nothing", since: null };
  const { breaker, faults, state } = report;
  const [fault] = Object.entries(faults).sort(([, left], [, right]) => Date.parse(left) - Date.parse(right));
  if (fault !== undefined) return { kind: "failing", words: `stuck: ${fault[0]}`, since: momentOf(fault[1]) };
  const since = momentOf(breaker.since);
  if (breaker.state !== "closed") {
    const reason = breaker.reason === undefined ? "" : `: ${breaker.reason}`;
    // What recovers works, on less than it could.
    return {
      kind: breaker.state === "open" ? "failing" : "waiting",
      words: `breaker ${breaker.state}${reason}`,
      since,
    };
  }
  if (state === "reading" && failedLately({ breaker, silentMs }))
    return { kind: "waiting", words: `reading; the last attempt failed: ${breaker.reason}`, since: null };
  const kept = report.kept === 0 ? "" : `, ${count(report.kept)} kept behind others: much like them failed lately`;
  const readsSince = state === "reading" ? since : null;
  if (silentMs !== null && isLate({ silentMs }))
    return { kind: "unknown", words: `${state}, not seen for ${duration(silentMs)}`, since: readsSince };
  return { kind: state === "reading" ? "working" : "waiting", words: `${state}${kept}`, since: readsSince };
};

const momentOf = (text: string): Date | null => {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
};
