/** Why a mail was not accepted. */
export interface SmtpFailure {
  /** nodemailer's code (`EAUTH`, `ETLS`, `EENVELOPE`, ...), or an `OwnCode`. */
  readonly code: string;
  /** The phase: `CONN`, `AUTH PLAIN`, `MAIL FROM`, `RCPT TO`, `DATA`, ... */
  readonly command: string;
  /** The server's reply; undefined if there was none. */
  readonly reply: string | undefined;
  readonly responseCode: number | undefined;
  /** The code of the cause, from the system, TLS or nodemailer: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `GREETING_TIMEOUT`. */
  readonly cause: string | undefined;
  /** The certificate that was refused, if it is known. */
  readonly certificate?: string | undefined;
  /** What it says of a limit is said of the recipient's domain, as far as is known (`whose-limit.ts`). */
  readonly isOfDomain?: boolean;
  /** The limit that refuses it, of which the reply says nothing: a rate, how many mails a connection may have (`unnamed-rate.ts`), or connections. */
  readonly unnamed?: "rate" | "used up" | "connections";
  /** A rate may have refused it, which is known once mails were looked at again soon: this one after so many ms at least (`recipient-rate.ts`). */
  readonly secondLookMs?: number;
  /** The body was sent, or may have been sent. */
  readonly bodyStarted: boolean;
}

/** From the first of these on, the connection works, and what fails may mean this mail. */
const COMMANDS_OF_MAILS = new Set(["MAIL FROM", "RCPT TO", "DATA"]);

/** It was said, or lost, from MAIL FROM on. */
export const isForMail = ({ command, bodyStarted }: SmtpFailure): boolean =>
  bodyStarted || COMMANDS_OF_MAILS.has(command);

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Object.entries(error).find(([key]) => key === name)?.[1] : undefined;

/** Maps an error of nodemailer, which does not show whether the body had started. */
export const failureOf = (error: unknown, bodyStarted: boolean): SmtpFailure => {
  const responseCode = field(error, "responseCode");
  const reply = field(error, "response");
  const cause = field(error, "originalCode") ?? field(error, "timeoutType");
  return {
    code: String(field(error, "code") ?? "EUNKNOWN"),
    command: String(field(error, "command") ?? "CONN"),
    reply: typeof reply === "string" ? reply : undefined,
    responseCode: typeof responseCode === "number" ? responseCode : undefined,
    cause: typeof cause === "string" ? cause : undefined,
    bodyStarted,
  };
};

/** Why this side ends a mail that is under way: its time is over, it is called back, or it is cut because others wait. */
export type EndCode = "EDEADLINE" | "ECALLEDBACK" | "ETOOSLOW";

/** Or does not begin it: no connection was free in time. */
type OwnCode = EndCode | "EBUSY";

/** A failure that this side caused. */
export const ownFailure = (code: OwnCode, bodyStarted: boolean): SmtpFailure => ({
  code,
  command: "CONN",
  reply: undefined,
  responseCode: undefined,
  cause: undefined,
  bodyStarted,
});

/** The error codes of a failed TLS handshake or certificate. */
const TLS_FAULT = /CERT|SSL|TLS|EPROTO|UNABLE_TO_VERIFY/;

/** The connection could not be secured. */
export const isTlsFault = ({ code, cause = "" }: SmtpFailure): boolean =>
  code === "ETLS" || (code === "ESOCKET" && TLS_FAULT.test(cause));

const CERTIFICATE_FAULT = /CERT|UNABLE_TO_VERIFY/;

/** The server's certificate was refused, by this side: that says nothing of what the server grants. */
export const isCertificateFault = (failure: SmtpFailure): boolean =>
  isTlsFault(failure) && failure.reply === undefined && CERTIFICATE_FAULT.test(failure.cause ?? "");

const CONNECTION_LOST = new Set(["ECONNECTION", "ESOCKET", "ETIMEDOUT", "EPROTOCOL"]);

/** The server closed the connection while it was idle; nothing was sent. */
export const wasStale = ({ bodyStarted, responseCode, command, code }: SmtpFailure): boolean => {
  // It shows at the first command. At RCPT TO it is about the recipient.
  if (bodyStarted || command === "RCPT TO") return false;
  if (responseCode === undefined) return CONNECTION_LOST.has(code);
  return command === "RSET" || (responseCode === 421 && command === "MAIL FROM");
};
