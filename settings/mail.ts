import { z } from "zod";
import { duration, mailbox, type Setting, setting, singleLine, text, wholeNumber } from "./values.ts";

/** The mail server, the sender, and what becomes of a mail that cannot be sent. */
export const MAIL = {
  MAIL_SERVER: setting({
    schema: text(253).regex(
      /^([A-Za-z0-9._-]+|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$/,
      "expected a host name or an IP address, without a port: that is MAIL_PORT",
    ),
    example: "smtp.example",
    unit: "",
    about: "Host of the SMTP server.",
  }),
  MAIL_PORT: setting({
    schema: wholeNumber(1, 65_535),
    fallback: "587",
    example: "587",
    unit: "port",
    about: "Port of the SMTP server.",
  }),
  MAIL_USERNAME: setting({
    schema: text().min(1, "expected at least one character"),
    example: "welcome",
    unit: "",
    about: "User name at the SMTP server; requires MAIL_PASSWORD, and the other way round.",
  }),
  MAIL_PASSWORD: setting({
    schema: text().min(1, "expected at least one character"),
    example: "secret",
    unit: "",
    about: "Password at the SMTP server.",
    secret: true,
  }),
  MAIL_FROM: setting({
    schema: mailbox,
    example: "welcome@toblug.example",
    unit: "",
    about: "Sender's address. Its domain is the domain of each Message-ID.",
  }),
  MAIL_FROM_NAME: setting({
    schema: singleLine(128),
    fallback: "Toblug",
    example: "Toblug",
    unit: "",
    about: "Sender's name.",
  }),
  MAIL_TLS: setting({
    schema: z.enum(["starttls", "implicit", "none"], "expected starttls, implicit or none"),
    fallback: "starttls",
    example: "starttls",
    unit: "",
    about:
      "`starttls`: a server without STARTTLS is refused; `implicit`: TLS from the first byte (port 465); `none`: no TLS.",
  }),
  MAIL_POOL_SIZE: setting({
    schema: wholeNumber(1, 1_000),
    example: "20",
    unit: "connections",
    about:
      "Most SMTP connections of one consumer; it uses fewer if the mail server grants fewer. Default: CONSUMER_CONCURRENCY.",
  }),
  MAIL_UNCERTAIN: setting({
    schema: z.enum(["resend", "hold"], "expected resend or hold"),
    fallback: "resend",
    example: "resend",
    unit: "",
    about: "When it is unknown whether a mail was sent: send it again (same Message-ID), or hold it for an operator.",
  }),
  MAIL_EXPIRE_AFTER_MS: setting({
    schema: duration(1_000),
    fallback: "259200000",
    example: "259200000",
    unit: "ms",
    about: "A mail that is not sent within this time is dead-lettered, reason `expired` (72 h).",
  }),
} satisfies Record<string, Setting<unknown>>;
