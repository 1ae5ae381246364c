import { CAPACITY_CONSTANTS } from "./constants.ts";

/** What an installation must bear. */
export interface Load {
  readonly signupsPerDay: number;
  /** The busiest minutes, as a multiple of the day's average. */
  readonly peakFactor: number;
  /** How long the mail server takes for one mail, in ms. */
  readonly mailLatencyMs: number;
  /** Of the log of entries in Redis; `STREAM_RETENTION_MS`. */
  readonly streamRetentionMs?: number;
  /** SMTP connections of one consumer; `MAIL_POOL_SIZE`. */
  readonly mailPoolSize?: number;
}

/** What bears it. Cores and memory are those at the peak; what is written, of a day. */
export interface Capacity {
  readonly peakSignupsPerSecond: number;
  /** Welcome mails and, if nobody confirms an address, as many reminders. */
  readonly mailsPerDay: number;
  readonly api: { readonly replicas: number; readonly cores: number; readonly memoryBytes: number };
  /** Of each mail group that gets a delivery of every signup. */
  readonly consumers: {
    readonly perGroup: number;
    readonly total: number;
    /** What one does a second. */
    readonly mailsPerSecond: number;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly smtpConnections: number;
  };
  readonly scaling: {
    /** `lagCount`: unread entries for each consumer. */
    readonly lagTarget: number;
    readonly maxReplicas: number;
  };
  readonly postgres: {
    readonly connections: number;
    readonly cores: number;
    readonly rowsPerDay: number;
    readonly bytesPerDay: number;
    readonly walBytesPerDay: number;
  };
  readonly redis: { readonly cores: number; readonly memoryBytes: number };
  /** What is paid for: cores at the peak, memory beside that of Postgres, and what 30 days add. */
  readonly bill: {
    readonly cores: number;
    readonly memoryBytes: number;
    readonly mailsPerMonth: number;
    readonly diskBytesPerMonth: number;
  };
  /** What one instance of the design does not bear. */
  readonly limits: readonly string[];
}

const DAY_S = 86_400;
const DAY_MS = 86_400_000;
const MIB = 2 ** 20;
/** Two, so that one may be away. */
const LEAST_APIS = 2;
/** Of one Postgres and one Redis; beyond, signups are divided among pipelines. */
const MOST_POSTGRES_CORES = 32;
const MOST_POSTGRES_CONNECTIONS = 500;
const MOST_REDIS_CORES = 1;
const MOST_REDIS_BYTES = 64 * 2 ** 30;
const MONTH_DAYS = 30;

const up = (value: number): number => Math.ceil(value - 1e-9);

/** What a consumer sends a second: its connections by the latency, unless its core is slower. */
export const mailsPerSecond = (
  mailLatencyMs: number,
  connections: number = CAPACITY_CONSTANTS.connectionsPerConsumer.value,
): number => {
  const { mailEfficiency, consumerUs } = CAPACITY_CONSTANTS;
  const byConnections = (connections * mailEfficiency.value * 1_000) / mailLatencyMs;
  return Math.min(byConnections, 1_000_000 / consumerUs.value);
};

const limitsOf = ({ postgres, redis }: Pick<Capacity, "postgres" | "redis">): readonly string[] => [
  ...(postgres.cores > MOST_POSTGRES_CORES ? [`Postgres needs more than ${MOST_POSTGRES_CORES} cores`] : []),
  ...(postgres.connections > MOST_POSTGRES_CONNECTIONS
    ? [`Postgres has more than ${MOST_POSTGRES_CONNECTIONS} connections: put a pooler before it`]
    : []),
  ...(redis.cores > MOST_REDIS_CORES
    ? ["Redis needs more than its one core: divide signups among pipelines (STREAM_NAME)"]
    : []),
  ...(redis.memoryBytes > MOST_REDIS_BYTES
    ? ["Redis holds more than 64 GiB: shorten STREAM_RETENTION_MS, or divide signups among pipelines (STREAM_NAME)"]
    : []),
];

/** What a load takes, by the constants in `constants.ts`. At its peak everything is used to the share `utilisation`. */
export const capacityFor = ({
  signupsPerDay,
  peakFactor,
  mailLatencyMs,
  streamRetentionMs = DAY_MS,
  mailPoolSize = CAPACITY_CONSTANTS.connectionsPerConsumer.value,
}: Load): Capacity => {
  const c = CAPACITY_CONSTANTS;
  const peak = (signupsPerDay / DAY_S) * peakFactor;
  const share = c.utilisation.value;
  const groups = c.deliveriesPerSignup.value;
  /** Cores that so many µs for each signup take. */
  const cores = (us: number): number => (peak * us) / 1_000_000 / share;

  const apiCores = cores(c.hashMs.value * 1_000 + c.apiUs.value);
  const replicas = Math.max(LEAST_APIS, up(apiCores / c.hashesPerApi.value));
  const each = mailsPerSecond(mailLatencyMs, mailPoolSize);
  const perGroup = Math.max(1, up(peak / (each * share)));
  const total = perGroup * groups;
  const postgres = {
    // One more api during a rollout.
    connections:
      (replicas + 1) * c.apiDatabasePool.value +
      total * c.consumerDatabasePool.value +
      c.otherDatabaseConnections.value,
    cores: cores(c.postgresSignupUs.value + groups * c.postgresDeliveryUs.value),
    rowsPerDay: signupsPerDay * c.postgresRowsPerSignup.value,
    bytesPerDay: signupsPerDay * c.postgresBytesPerSignup.value,
    walBytesPerDay: signupsPerDay * c.walBytesPerSignup.value,
  };
  const kept = signupsPerDay * (streamRetentionMs / DAY_MS) * c.streamEntryBytes.value;
  const waiting = signupsPerDay * c.delayedEntryBytes.value;
  const redis = {
    cores: cores(c.redisSignupUs.value + groups * c.redisDeliveryUs.value),
    memoryBytes: up((kept + waiting) / share),
  };
  const api = { replicas, cores: apiCores, memoryBytes: replicas * c.apiMiB.value * MIB };
  const consumers = {
    perGroup,
    total,
    mailsPerSecond: each,
    cores: groups * cores(c.consumerUs.value),
    memoryBytes: total * c.consumerMiB.value * MIB,
    smtpConnections: total * mailPoolSize,
  };
  return {
    peakSignupsPerSecond: peak,
    mailsPerDay: signupsPerDay * groups,
    api,
    consumers,
    scaling: { lagTarget: Math.max(1, Math.round(each * c.burstSeconds.value)), maxReplicas: perGroup },
    postgres,
    redis,
    bill: {
      cores: api.cores + consumers.cores + postgres.cores + redis.cores,
      memoryBytes: api.memoryBytes + consumers.memoryBytes + redis.memoryBytes,
      mailsPerMonth: signupsPerDay * groups * MONTH_DAYS,
      diskBytesPerMonth: postgres.bytesPerDay * MONTH_DAYS,
    },
    limits: limitsOf({ postgres, redis }),
  };
};
