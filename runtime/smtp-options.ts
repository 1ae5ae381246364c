/** How TLS is used: `starttls` is required, `implicit` from the first byte, `none` is plain. */
export type SmtpTls = "starttls" | "implicit" | "none";

/** nodemailer's options for a mail server. Each phase may take `timeoutMs`; TLS is 1.2 or later, the certificate checked. */
export const smtpOptions = (
  { host, port, tls }: { readonly host: string; readonly port: number; readonly tls: SmtpTls },
  timeoutMs: number,
) => ({
  host,
  port,
  secure: tls === "implicit",
  // A server that does not offer STARTTLS is refused.
  requireTLS: tls === "starttls",
  ignoreTLS: tls === "none",
  connectionTimeout: timeoutMs,
  greetingTimeout: timeoutMs,
  dnsTimeout: timeoutMs,
  tls: { minVersion: "TLSv1.2" as const },
});
