import type { Context, ErrorHandler, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import { databaseFault } from "../database/errors.ts";
import type { Logger } from "../observability/logger.ts";
import { HashQueueFull } from "./passwords/hasher.ts";
import { ProblemError, retryAfter } from "./problem.ts";
import type { ProblemCode } from "./problem-types.ts";

const DATABASE_RETRY_MS = 2_000;
/** How often an outage is logged: not once per request. */
const REPEAT_AFTER_MS = 10_000;

const HTTP_PROBLEMS: Readonly<Partial<Record<number, ProblemCode>>> = {
  400: "bad_request",
  403: "foreign_origin",
  413: "body_too_large",
};

/** The problem that an error is to the caller. */
export const problemOf = (error: unknown): ProblemError => {
  if (error instanceof ProblemError) return error;
  if (error instanceof HashQueueFull) {
    return new ProblemError("too_busy", { headers: retryAfter(error.retryAfterMs), cause: error });
  }
  if (error instanceof HTTPException) {
    return new ProblemError(HTTP_PROBLEMS[error.status] ?? "internal_error", { cause: error });
  }
  const { kind } = databaseFault(error);
  if (kind === "unavailable" || kind === "conflict") {
    return new ProblemError("database_unavailable", { headers: retryAfter(DATABASE_RETRY_MS), cause: error });
  }
  return new ProblemError("internal_error", { cause: error });
};

/** What may be logged of an error: a driver's other fields (`detail`, `where`) quote the rejected row. */
const loggable = (error: unknown): Readonly<Record<string, unknown>> =>
  error instanceof Error
    ? { type: error.name, message: error.message, code: databaseFault(error).code, stack: error.stack }
    : { message: String(error) };

/** Turns an error into a problem, and logs it if the fault is ours and not the caller's. */
export type ReportError = (error: unknown, c: Context) => ProblemError;

export const createErrorReporter = (log: Logger): ReportError => {
  const loggedAt = new Map<ProblemCode, number>();
  return (error, c) => {
    const problem = problemOf(error);
    // Made only for what is logged: a stack is costly to write, and of refusals there are many.
    const line = () => ({
      error: loggable(error),
      method: c.req.method,
      route: routePath(c, -1),
      code: problem.code,
    });
    if (problem.code === "internal_error") {
      log.error(line(), "a request failed");
    } else if (problem.cause !== undefined && "Retry-After" in problem.headers) {
      const now = performance.now();
      if (now - (loggedAt.get(problem.code) ?? Number.NEGATIVE_INFINITY) > REPEAT_AFTER_MS) {
        loggedAt.set(problem.code, now);
        log.warn(line(), "requests are being refused for now");
      }
    }
    return problem;
  };
};

/** The answer to a client that has left: nginx's status "client closed request". */
export const toNobody = (): Response => new Response(null, { status: 499 });

/** Answers with a problem. */
export type AnswerProblem = (c: Context, problem: ProblemError) => Response | Promise<Response>;

/** For `app.onError`: every error is answered as a problem, without a stack trace. */
export const createErrorHandler =
  (report: ReportError, answer: AnswerProblem): ErrorHandler =>
  (error, c) =>
    c.req.raw.signal.aborted && error.name === "AbortError" ? toNobody() : answer(c, report(error, c));

/** For `app.notFound`. */
export const createNotFound =
  (answer: AnswerProblem): NotFoundHandler =>
  (c) =>
    answer(c, new ProblemError("not_found"));
