import { loadSettings } from "../settings/load.ts";
import type { MailServer } from "./mail-server.ts";
import { type Pipeline, redisUrl } from "./pipeline.ts";

/** The settings of a consumer that sends the mail of a test's pipeline to its mail server. */
export const mailSettings = (
  pipeline: Pick<Pipeline, "url">,
  mailServer: Pick<MailServer, "port">,
  more: Readonly<Record<string, string>> = {},
) =>
  loadSettings("consumer", {
    DATABASE_URL: pipeline.url,
    REDIS_URL: redisUrl(),
    MAIL_SERVER: "127.0.0.1",
    MAIL_PORT: String(mailServer.port),
    MAIL_TLS: "none",
    MAIL_FROM: "welcome@toblug.example",
    ...more,
  });
