import { trace } from "@opentelemetry/api";
import pino from "pino";
import { withoutAddresses } from "./redact.ts";

/** What code may log with: one line per change of state, structured, never an address or a name. */
export type Logger = pino.Logger;

export interface LoggerOptions {
  readonly level: string;
  /** `api`, `consumer`, `migrate`: the part of the system that speaks. */
  readonly service: string;
  /** Where lines go; standard output if not given. */
  readonly destination?: pino.DestinationStream;
}

/** Field names whose values never reach a line, whoever logs them. */
const PERSONAL_FIELDS = ["email", "user_name", "userName", "name", "address", "password", "to", "authorization"];

const redactedPaths = PERSONAL_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

const scrubbed = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return withoutAddresses(value);
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, scrubbed(item, depth - 1)]));
};

/** What an operator needs of an error: what it was, and where; not the source that its runtime prints around it. */
const errorFields = (error: Error): Record<string, unknown> => ({
  name: error.name,
  message: error.message,
  ...("code" in error ? { code: error.code } : {}),
  stack: error.stack,
});

/** The trace that the caller is in, so that a log line leads to its spans. */
const traceFields = (): Record<string, string> => {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
};

/**
 * JSON lines on standard output (pino). The logger itself takes out addresses and names: no caller has to remember it.
 */
export const createLogger = ({ level, service, destination }: LoggerOptions): Logger => {
  const options: pino.LoggerOptions = {
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: "message",
    redact: { paths: redactedPaths, censor: "<redacted>" },
    mixin: traceFields,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) =>
        Object.fromEntries(
          Object.entries(fields).map(([key, value]) => [
            key,
            scrubbed(value instanceof Error ? errorFields(value) : value, 4),
          ]),
        ),
    },
    hooks: {
      logMethod(args, method) {
        const clean = args.map((arg) => (typeof arg === "string" ? withoutAddresses(arg) : arg));
        method.apply(this, clean as typeof args);
      },
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
};
