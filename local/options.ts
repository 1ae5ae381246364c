import { isIP } from "node:net";
import { parseArgs } from "node:util";

export const INBOXES = ["own", "mailpit"] as const;
export type InboxKind = (typeof INBOXES)[number];

export interface StartOptions {
  readonly fresh: boolean;
  readonly consumers: number;
  /** Undefined: 3000 if it is free, else any free port. */
  readonly port: number | undefined;
  /** Where the API, the health ports and the inbox listen. */
  readonly host: string;
  /** Undefined: `.local/` of the project. */
  readonly data: string | undefined;
  /** What catches the mails: the inbox of this project, or Mailpit. */
  readonly inbox: InboxKind;
  /** Receives traces and metrics (OTLP over HTTP). Undefined: nothing is exported, unless an OTEL_* variable asks for it. */
  readonly otel: string | undefined;
  /** Restarts the part whose source was saved. */
  readonly watch: boolean;
  readonly help: boolean;
}

export const USAGE = `bun run start [options]: the whole system on this machine, no settings needed.
bun run dev [options]: the same, and the part whose source file is saved is restarted.

  --consumers N   how many consumers to run (default 2)
  --port P        where the API listens (default 3000, or a free port)
  --host ADDRESS  listen there, as in --host 0.0.0.0 for other machines (default 127.0.0.1: this machine alone)
  --otel URL      send traces and metrics to this OpenTelemetry collector, as in --otel http://127.0.0.1:4318
  --inbox mailpit catch mails with Mailpit, if it is on the PATH (default own: the inbox of this project)
  --data DIR      where data and logs are kept (default .local); systems with different folders run side by side
  --fresh         start over: remove the data of earlier runs
  --help          this text

Environment variables take precedence: with DATABASE_URL, REDIS_URL or MAIL_SERVER set, that part is not started here.`;

/** An invalid option. The message says what was expected. */
export class BadOption extends Error {
  override readonly name = "BadOption";
}

const numberOf = (name: string, text: string | undefined, min: number, max: number): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new BadOption(`--${name}: ${JSON.stringify(text)} is invalid; expected a whole number from ${min} to ${max}`);
  }
  return value;
};

const collectorUrl = (text: string | undefined): string | undefined => {
  const url = text === undefined ? undefined : URL.parse(text);
  if (url === null || (url !== undefined && !["http:", "https:"].includes(url.protocol))) {
    throw new BadOption(
      `--otel: ${JSON.stringify(text)} is invalid; expected the address of a collector, as in http://127.0.0.1:4318`,
    );
  }
  return text;
};

const inboxOf = (text: string): InboxKind => {
  const inbox = INBOXES.find((each) => each === text);
  if (inbox === undefined) {
    throw new BadOption(`--inbox: ${JSON.stringify(text)} is invalid; expected ${INBOXES.join(" or ")}`);
  }
  return inbox;
};

/** The host of an URL by which this machine reaches what listens there. */
export const reachableAt = (host: string): string => {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return isIP(host) === 6 ? `[${host}]` : host;
};

/** OpenTelemetry's default of a minute is too long for a person who waits for the first metric. */
const METRICS_EVERY_MS = "10000";

/** The variables that `--otel` sets. Each part sets its own service name. */
export const telemetryVariables = (otel: string | undefined): Readonly<Record<string, string>> =>
  otel === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: otel, OTEL_METRIC_EXPORT_INTERVAL: METRICS_EVERY_MS };

/** @throws {BadOption} */
export const parseOptions = (args: readonly string[]): StartOptions => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        fresh: { type: "boolean", default: false },
        consumers: { type: "string" },
        port: { type: "string" },
        host: { type: "string", default: "127.0.0.1" },
        data: { type: "string" },
        otel: { type: "string" },
        inbox: { type: "string", default: "own" },
        watch: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (isIP(values.host) === 0) {
      throw new BadOption(`--host: ${JSON.stringify(values.host)} is invalid; expected an IP address, as in 0.0.0.0`);
    }
    if (values.data === "") throw new BadOption("--data: expected a folder");
    return {
      fresh: values.fresh,
      watch: values.watch,
      help: values.help,
      host: values.host,
      inbox: inboxOf(values.inbox),
      data: values.data,
      consumers: numberOf("consumers", values.consumers, 0, 50) ?? 2,
      port: numberOf("port", values.port, 1, 65_535),
      otel: collectorUrl(values.otel),
    };
  } catch (error) {
    if (error instanceof BadOption || !(error instanceof Error)) throw error;
    throw new BadOption(error.message);
  }
};
