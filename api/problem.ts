import type { Context } from "hono";
import { jitteredMs } from "../runtime/backoff.ts";
import type { Locale } from "../stream/events/user-signed-up.ts";
import { languageOf } from "./language.ts";
import { PROBLEM_TYPES, type ProblemCode, problemUri } from "./problem-types.ts";

/** A fault of one field, described in each language. */
export interface FieldFault {
  /** JSON pointer into the body, as a URI fragment (RFC 6901, 6): `#/email`, or `#` for the body itself. */
  readonly pointer: string;
  readonly code: string;
  readonly detail: Readonly<Record<Locale, string>>;
}

interface ProblemOptions {
  readonly errors?: readonly FieldFault[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Thrown wherever a request cannot be fulfilled; answered as problem+json, or shown on the page. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly errors: readonly FieldFault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, { errors = [], headers = {}, cause }: ProblemOptions = {}) {
    super(PROBLEM_TYPES[code].title, { cause });
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }
}

/** Load passes sooner than clients that were told to wait for minutes would notice. */
const MAX_RETRY_AFTER_S = 30;

/**
 * `Retry-After` for a caller that should wait for about `ms`: whole seconds (RFC 9110, 10.2.3), at least one and at most 30,
 * with jitter of up to the same time again, so that refused clients do not all retry at once.
 */
export const retryAfter = (ms: number, random: () => number = Math.random): Record<string, string> => ({
  "Retry-After": String(Math.min(MAX_RETRY_AFTER_S, Math.max(1, Math.ceil(jitteredMs(2 * ms, random) / 1_000)))),
});

/** The body of every error response (RFC 9457). */
interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string; readonly code: string }[];
}

const toBody = (problem: ProblemError, language: Locale): Problem => {
  const type = PROBLEM_TYPES[problem.code];
  const errors = problem.errors.map(({ pointer, detail, code }) => ({ pointer, detail: detail[language], code }));
  return {
    type: problemUri(problem.code),
    title: type.title,
    status: type.status,
    detail: type[language],
    code: problem.code,
    ...(errors.length > 0 ? { errors } : {}),
  };
};

/** Answers with a problem in the caller's language. */
export const problemResponse = (c: Context, problem: ProblemError): Response => {
  const language = languageOf(c);
  return c.body(JSON.stringify(toBody(problem, language)), PROBLEM_TYPES[problem.code].status, {
    "Content-Type": "application/problem+json",
    "Content-Language": language,
    Vary: "Accept-Language",
    "Cache-Control": "no-store",
    ...problem.headers,
  });
};
