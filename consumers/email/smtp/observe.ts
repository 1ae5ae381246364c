import { SpanKind } from "@opentelemetry/api";
import {
  SIGNUP_SMTP_CONNECTIONS_BUSY,
  SIGNUP_SMTP_CONNECTIONS_GRANTED,
  SIGNUP_SMTP_CONNECTIONS_LIMIT,
  SIGNUP_SMTP_PACE,
} from "../../../observability/metric-names.ts";
import { registerGauge } from "../../../observability/metrics.ts";
import { markFailed, withSpan } from "../../../observability/tracing.ts";
import { enhancedCode } from "./limit-words.ts";
import type { SendResult } from "./outgoing-mail.ts";
import type { SmtpPool } from "./pool.ts";
import type { SmtpServer } from "./session.ts";

/** `250 2.0.0 Ok` -> 250 */
const codeOf = (reply: string | undefined): number | undefined => {
  const code = /^\d{3}\b/.exec(reply ?? "")?.[0];
  return code === undefined ? undefined : Number(code);
};

const answerOf = (result: SendResult) => {
  const reply = result.kind === "accepted" ? result.reply : result.failure.reply;
  const code = codeOf(reply) ?? (result.kind === "failed" ? result.failure.responseCode : undefined);
  const enhanced = enhancedCode(reply ?? "");
  return {
    ...(code === undefined ? {} : { "smtp.response.status_code": code }),
    ...(enhanced === undefined ? {} : { "smtp.response.enhanced_status_code": enhanced }),
    ...(result.kind === "failed" ? { "signup.smtp.phase": result.failure.command } : {}),
  };
};

/**
 * The pool with a span around each send, which includes waiting for a connection. There are no semantic conventions for
 * SMTP: attributes are those of any client (`server.address`) and the reply codes, without the text, which may quote the
 * recipient.
 */
export const observedPool = (pool: SmtpPool, { host, port }: SmtpServer, size: number): SmtpPool => {
  registerGauge(
    SIGNUP_SMTP_CONNECTIONS_BUSY,
    { unit: "{connection}", description: "SMTP connections that are sending." },
    () => [{ value: pool.busy() }],
  );
  registerGauge(
    SIGNUP_SMTP_CONNECTIONS_LIMIT,
    { unit: "{connection}", description: "Maximum SMTP connections of this consumer." },
    () => [{ value: size }],
  );
  registerGauge(
    SIGNUP_SMTP_CONNECTIONS_GRANTED,
    {
      unit: "{connection}",
      description: "SMTP connections that the mail server grants this consumer, as far as it is known.",
    },
    () => [{ value: pool.isLimited() ? pool.granted() : size }],
  );
  registerGauge(
    SIGNUP_SMTP_PACE,
    {
      unit: "{mail}/s",
      description: "Mails a second that the mail server grants this consumer; 0: no limit is known.",
    },
    () => [{ value: pool.perSecond() ?? 0 }],
  );
  const attributes = { "server.address": host, "server.port": port, "network.protocol.name": "smtp" };
  return {
    ...pool,
    send: (mail, signal) =>
      withSpan(
        "send email",
        () => ({ kind: SpanKind.CLIENT, attributes }),
        async (span) => {
          const result = await pool.send(mail, signal);
          if (!span.isRecording()) return result;
          span.setAttributes(answerOf(result));
          if (result.kind === "failed") {
            const { responseCode, code } = result.failure;
            markFailed(span, responseCode === undefined ? code : String(responseCode));
          }
          return result;
        },
      ),
  };
};
