import { redisUrl } from "./redis-url.ts";
import { databaseUrl, type Setting, setting, text, url } from "./values.ts";

const token = text().regex(/^[\x21-\x7e]{16,}$/, "expected at least 16 visible ASCII characters");

/** The operator's console, which the api serves at `/console`. */
export const CONSOLE = {
  CONSOLE_TOKEN: setting({
    schema: token,
    example: "a-long-random-token-of-operators",
    unit: "",
    about:
      "Signs in to `/console` with the right to act. Without this and CONSOLE_READ_TOKEN there is no console. A new one ends the sessions that the old one began.",
    secret: true,
  }),
  CONSOLE_READ_TOKEN: setting({
    schema: token,
    example: "a-long-random-token-of-readers",
    unit: "",
    about: "Signs in to `/console` to look, and to change nothing.",
    secret: true,
  }),
  CONSOLE_DATABASE_URL: setting({
    schema: databaseUrl,
    example: "postgres://signup_ops:secret@db.example:5432/signup",
    unit: "",
    about: "PostgreSQL as the console uses it: with the rights of `ops`. Default: DATABASE_URL.",
    secret: true,
  }),
  CONSOLE_REDIS_URL: setting({
    schema: redisUrl,
    example: "redis://ops:secret@redis.example:6379",
    unit: "",
    about: "Redis as the console uses it: with the rights of `ops`. Default: REDIS_URL.",
    secret: true,
  }),
  GRAFANA_URL: setting({
    schema: url("http", "https"),
    example: "https://grafana.example",
    unit: "",
    about: "Grafana, whose data source of traces has the uid `tempo`: the console links each event to its trace there.",
  }),
} satisfies Record<string, Setting<unknown>>;
