import { trace } from "@opentelemetry/api";
import pino from "pino";
import { asFields, mayBePersonal, withoutPersonalData, withoutPersonalFields } from "./redact.ts";

/** The logger of every process: structured lines, one per change of state, never an address or a name. */
export type Logger = pino.Logger;

export interface LoggerOptions {
  readonly level: string;
  /** `api`, `consumer`, `migrate`: the part of the system that logs. */
  readonly service: string;
  /** Where lines go; standard output if not given. */
  readonly destination?: pino.DestinationStream;
}

/** The trace that the caller is in, if it is sampled, so that a log line leads to its spans. Names by OpenTelemetry (logs in JSON). */
const traceFields = (): Record<string, string> => {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined) return {};
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    trace_flags: span.traceFlags.toString(16).padStart(2, "0"),
  };
};

/** Errors as fields: JSON would write them as `{}`. */
const withErrorsAsFields = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.values(fields).some((value) => value instanceof Error)
    ? Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, asFields(value)]))
    : fields;

/** A finished line, cleaned as a whole, so that nothing in it is overlooked. */
const cleanLine = (line: string): string => {
  if (!mayBePersonal(line)) return line;
  try {
    return `${JSON.stringify(withoutPersonalFields(JSON.parse(line)))}\n`;
  } catch {
    return withoutPersonalData(line);
  }
};

/** More than this is written at once. */
const MOST_BUFFERED = 8_192;

/**
 * Standard output, written to once for all lines of one turn of the event loop: a call of the system for each costs as much as the line.
 * Only who is killed outright loses the lines of its last turn.
 */
const standardOutput = (): pino.DestinationStream => {
  const output = pino.destination({ dest: 1, sync: true, minLength: MOST_BUFFERED });
  let isDue = false;
  const flush = () => {
    isDue = false;
    output.flush();
  };
  process.on("exit", flush);
  return {
    write(line) {
      output.write(line);
      if (isDue) return;
      isDue = true;
      setImmediate(flush);
    },
  };
};

/**
 * JSON lines on standard output (pino). The logger itself removes addresses, names and secrets: from fields at any
 * depth, from a child's bindings, from errors and their causes, from messages. No caller has to remember it.
 */
export const createLogger = ({ level, service, destination }: LoggerOptions): Logger => {
  const options: pino.LoggerOptions = {
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: "message",
    mixin: traceFields,
    formatters: { level: (label) => ({ level: label }), log: withErrorsAsFields },
    serializers: { err: asFields },
    hooks: { streamWrite: cleanLine },
  };
  return pino(options, destination ?? standardOutput());
};
