/** A measured or decided figure that the capacity model counts with. */
export interface Constant {
  readonly value: number;
  /** Of what: `ms of CPU for each signup`. */
  readonly unit: string;
  /** What measures it, or where it is set. */
  readonly source: string;
  /** ISO date of the measurement; of what is set in the code, of when it was compared. */
  readonly date: string;
}

const constant = (value: number, unit: string, source: string, date: string): Constant => ({
  value,
  unit,
  source,
  date,
});

/**
 * Every figure of the capacity model, each with its unit, its source and its date: measured on one core of a shared machine of 2026, with
 * argon2id at OWASP's minimum. Measure them again on yours, and the model follows; docs/capacity.md says how.
 */
export const CAPACITY_CONSTANTS = {
  hashMs: constant(
    27,
    "ms of CPU for each signup",
    "argon2id of 19 MiB and 2 passes, bench accept-argon2",
    "2026-11-24",
  ),
  apiUs: constant(420, "µs of CPU for each signup, without its hash", "bench accept-32", "2026-11-29"),
  consumerUs: constant(1_350, "µs of CPU for each mail, 20 connections", "bench drain-50ms-20", "2026-11-29"),
  postgresSignupUs: constant(200, "µs of CPU for each signup", "bench accept-32", "2026-11-29"),
  postgresDeliveryUs: constant(440, "µs of CPU for each delivery, 20 connections", "bench drain-50ms-20", "2026-11-29"),
  redisSignupUs: constant(30, "µs of CPU for each signup", "bench/redis-core.ts", "2026-11-29"),
  redisDeliveryUs: constant(44, "µs of CPU for each delivery, at most", "bench/redis-core.ts", "2026-11-29"),
  mailEfficiency: constant(0.93, "of connections / latency", "bench drain-50ms-20", "2026-11-29"),
  deliveriesPerSignup: constant(2, "deliveries", "stream/groups.ts: welcome and reminder", "2026-11-29"),
  connectionsPerConsumer: constant(20, "SMTP connections", "MAIL_POOL_SIZE", "2026-11-29"),
  hashesPerApi: constant(2, "hashes at a time", "PASSWORD_HASH_CONCURRENCY in k8s/", "2026-11-29"),
  apiDatabasePool: constant(10, "Postgres connections", "api/run.ts", "2026-11-29"),
  consumerDatabasePool: constant(4, "Postgres connections", "consumers/run.ts", "2026-11-29"),
  otherDatabaseConnections: constant(10, "Postgres connections", "migration, ops, console, backups", "2026-11-29"),
  streamEntryBytes: constant(
    328,
    "bytes of Redis for each signup, for STREAM_RETENTION_MS",
    "bench/redis-core.ts",
    "2026-11-29",
  ),
  delayedEntryBytes: constant(481, "bytes of Redis for each waiting reminder", "bench/redis-core.ts", "2026-11-29"),
  apiMiB: constant(192, "MiB for each api", "request in k8s/", "2026-11-29"),
  consumerMiB: constant(128, "MiB for each consumer", "request in k8s/", "2026-11-29"),
  utilisation: constant(0.7, "of a capacity, at the peak", "a choice: what is fuller queues", "2026-11-29"),
  burstSeconds: constant(
    5,
    "s of one consumer's work that another one is worth",
    "docs/kubernetes.md, Sizing",
    "2026-11-29",
  ),
  // Measured by bench/size.ts; see there.
  postgresRowsPerSignup: constant(4, "rows: user, event, two deliveries", "database/schema.ts", "2026-11-29"),
  postgresBytesPerSignup: constant(2_190, "bytes of tables and indexes, two deliveries", "bench/size.ts", "2026-11-29"),
  walBytesPerSignup: constant(
    8_100,
    "bytes of WAL, two deliveries, one claimed and settled",
    "bench/size.ts",
    "2026-11-29",
  ),
} as const satisfies Readonly<Record<string, Constant>>;
