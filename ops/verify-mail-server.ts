import { createTransport } from "nodemailer";
import { withoutAddresses } from "../observability/redact.ts";
import type { Settings } from "../settings/load.ts";

/** Each phase of the conversation is given up after this, in ms. */
const LIMIT_MS = 10_000;

/**
 * Speaks to the mail server as far as the login, and sends nothing.
 *
 * @throws the error of the connection, of TLS, or of the login; addresses removed
 */
export const verifyMailServer = async (settings: Settings): Promise<void> => {
  const { MAIL_SERVER: host, MAIL_PORT: port, MAIL_USERNAME: user, MAIL_PASSWORD: pass, MAIL_TLS: tls } = settings;
  if (host === undefined) throw new Error("MAIL_SERVER is not set");
  const transport = createTransport({
    host,
    port,
    // STARTTLS is required where it is asked for, never merely tried.
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    connectionTimeout: LIMIT_MS,
    greetingTimeout: LIMIT_MS,
    socketTimeout: LIMIT_MS,
    dnsTimeout: LIMIT_MS,
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
