import { createTransport } from "nodemailer";
import { withoutAddresses } from "../../observability/redact.ts";
import { smtpOptions } from "../../runtime/smtp-options.ts";
import type { Settings } from "../../settings/load.ts";

/** Limit for each phase of the conversation, in ms. */
const LIMIT_MS = 10_000;

/** Codes of nodemailer for a conversation that did not come about; ESOCKET may be a fault of TLS, too. */
const NO_CONVERSATION = new Set(["ECONNECTION", "ETIMEDOUT", "EDNS"]);

/** Whether an error of `verifyMailServer` says that no connection came about. */
export const isOutOfReach = (error: unknown): boolean => {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error && "code" in cause)) return false;
  const { code, syscall } = { syscall: undefined, ...cause };
  return NO_CONVERSATION.has(String(code)) || (code === "ESOCKET" && syscall === "connect");
};

/**
 * Connects to the mail server and logs in; sends nothing.
 *
 * @throws the error of the connection, of TLS, or of the login; addresses removed
 */
export const verifyMailServer = async (settings: Settings): Promise<void> => {
  const { MAIL_SERVER: host, MAIL_PORT: port, MAIL_USERNAME: user, MAIL_PASSWORD: pass, MAIL_TLS: tls } = settings;
  if (host === undefined) throw new Error("MAIL_SERVER is not set");
  const transport = createTransport({
    ...smtpOptions({ host, port, tls }, LIMIT_MS),
    socketTimeout: LIMIT_MS,
    ...(user === undefined || pass === undefined ? {} : { auth: { user, pass } }),
  });
  try {
    await transport.verify();
  } catch (error) {
    throw new Error(withoutAddresses(error instanceof Error ? error.message : String(error)), { cause: error });
  } finally {
    transport.close();
  }
};
