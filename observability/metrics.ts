import {
  type Attributes,
  type Counter,
  createNoopMeter,
  type Histogram,
  type MeterProvider,
  metrics,
} from "@opentelemetry/api";
import * as names from "./metric-names.ts";
import { tracer } from "./tracing.ts";

/** The instruments that are written to. Gauges are read when metrics are collected: `registerGauge`. */
export interface Instruments {
  readonly httpServerRequestDuration: Histogram;
  readonly httpClientRequestDuration: Histogram;
  readonly databaseOperationDuration: Histogram;
  readonly sentMessages: Counter;
  readonly messagingOperationDuration: Histogram;
  readonly consumedMessages: Counter;
  readonly processDuration: Histogram;
  readonly timeToInbox: Histogram;
  readonly timeToDone: Histogram;
  readonly admissionRefused: Counter;
  readonly passwordHashWait: Histogram;
  readonly uncertain: Counter;
  readonly takenBack: Counter;
  readonly bounces: Counter;
  readonly claimed: Counter;
  readonly reconciled: Counter;
  readonly lostRepeatedly: Counter;
}

/** Bucket boundaries in s that the conventions ask for (v1.45.0): HTTP and messaging, and database. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const DATABASE_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
/** From the fastest mail to the last retry of a greylisted one; 60 s, the objective, is a boundary. */
const INBOX_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400];

const METER = "signup-stream";

const createInstruments = (provider: MeterProvider): Instruments => {
  const meter = provider.getMeter(METER);
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: "s", description, advice: { explicitBucketBoundaries } });
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  return {
    httpServerRequestDuration: seconds(
      names.HTTP_SERVER_REQUEST_DURATION,
      "Duration of HTTP server requests.",
      REQUEST_BUCKETS,
    ),
    httpClientRequestDuration: seconds(
      names.HTTP_CLIENT_REQUEST_DURATION,
      "Duration of HTTP client requests.",
      REQUEST_BUCKETS,
    ),
    databaseOperationDuration: seconds(
      names.DB_CLIENT_OPERATION_DURATION,
      "Duration of database client operations.",
      DATABASE_BUCKETS,
    ),
    sentMessages: counter(
      names.MESSAGING_CLIENT_SENT_MESSAGES,
      "{message}",
      "Number of messages producer attempted to send to the broker.",
    ),
    messagingOperationDuration: seconds(
      names.MESSAGING_CLIENT_OPERATION_DURATION,
      "Duration of messaging operation initiated by a producer or consumer client.",
      REQUEST_BUCKETS,
    ),
    consumedMessages: counter(
      names.MESSAGING_CLIENT_CONSUMED_MESSAGES,
      "{message}",
      "Number of messages that were delivered to the application.",
    ),
    processDuration: seconds(names.MESSAGING_PROCESS_DURATION, "Duration of processing operation.", REQUEST_BUCKETS),
    timeToInbox: seconds(
      names.SIGNUP_TIME_TO_INBOX,
      "Time from the commit of a signup until the mail server took its mail.",
      INBOX_BUCKETS,
    ),
    timeToDone: seconds(
      names.SIGNUP_TIME_TO_DONE,
      "Time from the commit of an event until a group's work on it was done.",
      INBOX_BUCKETS,
    ),
    admissionRefused: counter(
      names.SIGNUP_ADMISSION_REFUSED,
      "{request}",
      "Requests that were not admitted, by limit.",
    ),
    passwordHashWait: seconds(
      names.SIGNUP_PASSWORD_HASH_WAIT,
      "Time that a password has waited to be hashed.",
      REQUEST_BUCKETS,
    ),
    uncertain: counter(
      names.MAIL_UNCERTAIN,
      "{attempt}",
      "Attempts after which nobody knows whether their effect took place.",
    ),
    takenBack: counter(
      names.MAIL_UNCERTAIN_TAKEN_BACK,
      "{attempt}",
      "Attempts that counted as uncertain, and of which it became known that nothing was begun.",
    ),
    bounces: counter(names.MAIL_BOUNCES, "{report}", "Bounces and complaints that were reported."),
    claimed: counter(names.SIGNUP_CLAIMED, "{entry}", "Entries claimed from a consumer that died."),
    reconciled: counter(names.SIGNUP_RECONCILED, "{delivery}", "Deliveries that Redis had lost, published again."),
    lostRepeatedly: counter(
      names.SIGNUP_LOST_REPEATEDLY,
      "{delivery}",
      "Deliveries that were held because publishing them again did not help.",
    ),
  };
};

interface Made {
  readonly provider: MeterProvider;
  readonly instruments: Instruments;
  /** Whether they record anything. */
  readonly isMetering: boolean;
}

let made: Made | undefined;

const latest = (): Made => {
  const provider = metrics.getMeterProvider();
  if (made?.provider !== provider) {
    const isMetering = provider.getMeter(METER) !== createNoopMeter();
    made = { provider, instruments: createInstruments(provider), isMetering };
  }
  return made;
};

/**
 * The instruments of the meter provider that is set up; without one they do nothing. The API has a proxy for tracers, but
 * none for meters: instruments made before the set-up would record nothing, so they are kept per provider.
 */
export const instruments = (): Instruments => latest().instruments;

/** Whether spans or metrics go anywhere: else nothing is wrapped, described or timed for them. */
export const isTelemetryOn = (): boolean => latest().isMetering || tracer() !== undefined;

/** The value of a gauge at one moment, with its attributes. */
export interface Reading {
  readonly value: number;
  readonly attributes?: Attributes;
}

/** Registers a gauge that is read each time metrics are collected. To be called once, after the set-up. */
export const registerGauge = (
  name: string,
  options: { readonly unit: string; readonly description: string },
  read: () => readonly Reading[],
): void => {
  metrics
    .getMeterProvider()
    .getMeter(METER)
    .createObservableGauge(name, options)
    .addCallback((result) => {
      for (const { value, attributes } of read()) result.observe(value, attributes);
    });
};
