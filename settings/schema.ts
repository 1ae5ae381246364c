import { z } from "zod";
import { CONSOLE } from "./console.ts";
import { LEDGER } from "./ledger.ts";
import { LIMITS } from "./limits.ts";
import { LISTENING } from "./listening.ts";
import { MAIL } from "./mail.ts";
import { MAIL_CAPS } from "./mail-caps.ts";
import { MAIL_IDENTITY } from "./mail-identity.ts";
import { networks } from "./networks.ts";
import { redisUrl } from "./redis-url.ts";
import { SIGNUP } from "./signup.ts";
import { databaseUrl, duration, port, type Setting, setting, singleLine, text, url, wholeNumber } from "./values.ts";
import { receiverNames } from "./webhooks.ts";

/** Every setting, by the name of its variable. One schema for all processes; each requires only its own part. */
export const SETTINGS = {
  DATABASE_URL: setting({
    schema: databaseUrl,
    example: "postgres://signup:secret@db.example:5432/signup",
    unit: "",
    about:
      "PostgreSQL 14 to 18. The source of truth: users, the event log, the ledger of deliveries, the outbox. May name several servers (`a:5432,b:5432`), of which the one that takes writes is used; `sslmode` and `sslrootcert` are those of libpq.",
    secret: true,
  }),
  REDIS_URL: setting({
    schema: redisUrl,
    example: "redis://redis.example:6379",
    unit: "",
    about:
      "Redis 7.0 or later, or Valkey. Distributes entries among consumers; work that it loses is queued again from PostgreSQL. `rediss://` encrypts, `?sslrootcert=FILE` names its authority. `redis+sentinel://a,b,c/MASTER` finds it by sentinels, `redis+cluster://a,b,c` in a cluster: docs/redis.md.",
    secret: true,
  }),
  STREAM_NAME: setting({
    schema: text(64).regex(/^[A-Za-z0-9._-]+$/, "expected letters, digits, dots, dashes or underscores"),
    fallback: "signup",
    example: "signup",
    unit: "",
    about: "Name of the pipeline: each of its keys in Redis begins with this name in braces.",
  }),
  PORT: setting({ schema: port, fallback: "3000", example: "3000", unit: "port", about: "Port of the API." }),
  ...LISTENING,
  TRUSTED_PROXIES: setting({
    schema: networks,
    fallback: "",
    example: "10.0.0.0/8",
    unit: "",
    about:
      "Networks of the proxies before the API, separated by commas: only they are believed whom a request is from.",
  }),
  TRUSTED_PROXY_HEADER: setting({
    schema: z.enum(["either", "x-forwarded-for", "forwarded"], "expected either, x-forwarded-for or forwarded"),
    fallback: "either",
    example: "x-forwarded-for",
    unit: "",
    about:
      "Header in which these proxies name the client: `x-forwarded-for`, `forwarded`, or `either` that a request has. Of a request with both, of different clients, one was made up: all such requests count as one client's.",
  }),
  ...LIMITS,
  PUBLIC_URL: setting({
    schema: url("http", "https"),
    fallback: "http://localhost:3000",
    example: "https://signup.example",
    unit: "",
    about: "Public address of the service, for links in mails and pages.",
  }),
  BRAND_NAME: setting({
    schema: singleLine(64).min(1, "expected at least one character"),
    fallback: "Toblug",
    example: "Toblug",
    unit: "",
    about: "Product name in mails and pages.",
  }),
  ...SIGNUP,
  ...MAIL,
  ...MAIL_IDENTITY,
  ...MAIL_CAPS,
  CONSUMER_NAME: setting({
    schema: text(128).regex(/^[\x21-\x7e]+$/, "expected visible ASCII characters without spaces"),
    example: "consumer-1",
    unit: "",
    about: "Name of a consumer; a random suffix makes it unique per start. Default: the host name.",
  }),
  CONSUMER_CONCURRENCY: setting({
    schema: wholeNumber(1, 1_000),
    fallback: "20",
    example: "20",
    unit: "entries",
    about:
      "Maximum entries in flight in one consumer, per group; of mails MAIL_POOL_SIZE, and up to as many again that wait for a connection.",
  }),
  CONSUMER_HEALTH_PORT: setting({
    schema: port,
    fallback: "8081",
    example: "8081",
    unit: "port",
    about: "Port of a consumer's `/livez` and `/readyz`.",
  }),
  CLAIM_MIN_IDLE_MS: setting({
    schema: duration(1_000, 3_600_000),
    fallback: "10000",
    example: "10000",
    unit: "ms",
    about:
      "An entry that its owner has not renewed for this long is claimed by a peer. Owners renew every third of it.",
  }),
  RETRY_MAX: setting({
    schema: wholeNumber(0, 100),
    example: "24",
    unit: "attempts",
    about:
      "Attempts after the first. Default: 24, which take one and a half to three days with the default delays; 3 after attempts of which nobody knows whether they took place.",
  }),
  RETRY_DELAY_MS: setting({
    schema: duration(1),
    fallback: "30000",
    example: "30000",
    unit: "ms",
    about: "Delay before the first retry; doubles with each retry, up to four hours, with jitter over its upper half.",
  }),
  RETRY_GREYLIST_MS: setting({
    schema: duration(1),
    fallback: "300000",
    example: "300000",
    unit: "ms",
    about: "Minimum delay after a greylisting reply.",
  }),
  RECONCILE_AFTER_MS: setting({
    schema: duration(1_000),
    fallback: "60000",
    example: "60000",
    unit: "ms",
    about: "An unfinished delivery that its group has overtaken by this much is missing in Redis, and is queued again.",
  }),
  DRAIN_TIMEOUT_MS: setting({
    schema: duration(0, 3_600_000),
    fallback: "25000",
    example: "25000",
    unit: "ms",
    about: "Time that attempts in flight have to finish after SIGTERM; the rest is released.",
  }),
  STREAM_RETENTION_MS: setting({
    schema: duration(1_000),
    fallback: "86400000",
    example: "86400000",
    unit: "ms",
    about: "Time that finished entries stay in the stream (24 h).",
  }),
  ...LEDGER,
  WEBHOOKS: setting({
    schema: receiverNames,
    fallback: "",
    example: "crm,audit",
    unit: "",
    about:
      "Receivers of webhooks, by name. Each is a group of its own, `webhook-<name>`, with the settings `WEBHOOK_<NAME>_...` below.",
  }),
  WEBHOOK_TIMEOUT_MS: setting({
    schema: duration(100, 600_000),
    fallback: "15000",
    example: "15000",
    unit: "ms",
    about: "Time limit of one webhook request in total, from the look-up of the address to the end of the answer.",
  }),
  WEBHOOK_EXPIRE_AFTER_MS: setting({
    schema: duration(1_000),
    fallback: "86400000",
    example: "86400000",
    unit: "ms",
    about: "A webhook that its receiver has not accepted within this time is dead-lettered, reason `expired` (24 h).",
  }),
  WEBHOOK_ALLOW_PRIVATE: setting({
    schema: z.enum(["true", "false"], "expected true or false").transform((value) => value === "true"),
    fallback: "false",
    example: "false",
    unit: "",
    about: "Whether receivers may be at `http://` and at private, loopback and link-local addresses.",
  }),
  PASSWORD_HASH_MEMORY_KIB: setting({
    schema: wholeNumber(8, 4_194_304),
    fallback: "19456",
    example: "19456",
    unit: "KiB",
    about: "Memory of one argon2id hash. A value below OWASP's minimum (19456) logs a warning.",
  }),
  PASSWORD_HASH_PASSES: setting({
    schema: wholeNumber(1, 64),
    fallback: "2",
    example: "2",
    unit: "passes",
    about: "Passes of one argon2id hash. A value below OWASP's minimum (2) logs a warning.",
  }),
  PASSWORD_HASH_CONCURRENCY: setting({
    schema: wholeNumber(1, 256),
    example: "2",
    unit: "hashes",
    about: "Maximum hashes computed at a time. Default: the number of cores.",
  }),
  SERVICE_TOKEN: setting({
    schema: text().regex(/^[\x21-\x7e]{16,}$/, "expected at least 16 visible ASCII characters"),
    example: "a-long-random-token-of-your-own",
    unit: "",
    about:
      "Bearer token for machines, required by the routes that only they may use. If not set, those routes answer 401.",
    secret: true,
  }),
  ...CONSOLE,
  CONFIRMATION_SECRET: setting({
    schema: text().regex(/^[\x21-\x7e]{16,}$/, "expected at least 16 visible ASCII characters"),
    example: "another-long-random-text-of-your-own",
    unit: "",
    about:
      "Mixed into the key that signs the links in mails, so that reading the database is not enough to make one. The same for the API and the consumers, if set; a new one invalidates the links that were mailed.",
    secret: true,
  }),
  CONFIRMATION_EXPIRE_AFTER_MS: setting({
    schema: duration(1_000),
    fallback: "604800000",
    example: "604800000",
    unit: "ms",
    about: "How long the link in a mail confirms the address (7 days).",
  }),
  REMINDER_DELAY_MS: setting({
    schema: duration(0),
    fallback: "86400000",
    example: "86400000",
    unit: "ms",
    about: "Time from a signup to the mail that reminds of an address that is not confirmed (a day).",
  }),
  LOG_LEVEL: setting({
    schema: z.enum(
      ["trace", "debug", "info", "warn", "error", "silent"],
      "expected trace, debug, info, warn, error or silent",
    ),
    fallback: "info",
    example: "info",
    unit: "",
    about: "Minimum severity of logged lines.",
  }),
  TRACE_HOP: setting({
    schema: z.enum(["parent", "link"], "expected parent or link"),
    fallback: "parent",
    example: "parent",
    unit: "",
    about:
      "How a consumer's span refers to the producer's: `parent` makes one trace of each signup (with a link, too), `link` one trace of each attempt.",
  }),
  MAIL_RATE_PER_SECOND: setting({
    schema: wholeNumber(1, 100_000),
    example: "50",
    unit: "mails/s",
    about: "Maximum mails a second of all mail groups and consumers together. Default: unlimited.",
  }),
  MAIL_RATE_PER_DAY: setting({
    schema: wholeNumber(1, 1_000_000_000),
    example: "50000",
    unit: "mails",
    about: "Maximum mails in any 24 hours of all mail groups and consumers together. Default: unlimited.",
  }),
} satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;
