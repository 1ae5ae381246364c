import { SpanKind, trace } from "@opentelemetry/api";
import { instruments, isTelemetryOn } from "./metrics.ts";
import { querySummary } from "./query-summary.ts";
import { errorType, withSpan } from "./tracing.ts";

/**
 * Measures one statement, and gives it a span if its caller is in a trace: loops that poll make none. Database
 * conventions v1.45.0 (stable). Neither text nor values are recorded, only what the statement touches.
 */
export const observedStatement = <Result>(sql: string, run: () => Promise<Result>): Promise<Result> =>
  isTelemetryOn() ? observed(sql, run) : run();

const observed = async <Result>(sql: string, run: () => Promise<Result>): Promise<Result> => {
  const summary = querySummary(sql);
  const attributes = { "db.system.name": "postgresql", "db.query.summary": summary };
  const startedAt = performance.now();
  const record = (outcome: Readonly<Record<string, string>>) =>
    instruments().databaseOperationDuration.record((performance.now() - startedAt) / 1_000, {
      ...attributes,
      ...outcome,
    });
  try {
    const result =
      trace.getActiveSpan()?.isRecording() === true
        ? await withSpan(summary, () => ({ kind: SpanKind.CLIENT, attributes }), run)
        : await run();
    record({});
    return result;
  } catch (error) {
    record({ "error.type": errorType(error) });
    throw error;
  }
};

/** One caller's wait for a statement that many share: the statement itself belongs to no single trace. */
export const observedShare = <Result>(summary: string, run: () => Promise<Result>): Promise<Result> =>
  withSpan(
    summary,
    () => ({
      kind: SpanKind.CLIENT,
      attributes: { "db.system.name": "postgresql", "db.query.summary": summary, "signup.statement.shared": true },
    }),
    run,
  );
