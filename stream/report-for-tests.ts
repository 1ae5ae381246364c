import type { ConsumerReport } from "./consumer-report.ts";

/** What a consumer says that has nothing to do. */
export const IDLE_REPORT: ConsumerReport = {
  startedAt: "2026-01-01T00:00:00.000Z",
  state: "reading",
  inFlight: 0,
  kept: 0,
  concurrency: 20,
  breaker: { state: "closed", since: "2026-01-01T00:00:00.000Z" },
  waitingParties: 0,
  faults: {},
};
