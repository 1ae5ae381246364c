import { createTransport } from "nodemailer";
import { withoutAddresses } from "../../observability/redact.ts";
import { smtpOptions } from "../../runtime/smtp-options.ts";
import type { Settings } from "../../settings/load.ts";

/** Limit for each phase of the conversation, in ms. */
const LIMIT_MS = 10_000;

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
