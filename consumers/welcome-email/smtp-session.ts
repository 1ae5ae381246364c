import { Readable } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import SMTPConnection from "nodemailer/lib/smtp-connection";

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** `starttls` is required, never merely tried; `implicit` speaks TLS from the first byte; `none` is plain. */
  readonly tls: "starttls" | "implicit" | "none";
  readonly username?: string;
  readonly password?: string;
  /** The certificate is always checked; tests bring an authority of their own. */
  readonly tlsOptions?: Pick<ConnectionOptions, "ca">;
}

/** A mail as it goes over the wire. The envelope has one recipient. */
export interface OutgoingMail {
  readonly from: string;
  readonly to: string;
  /** MIME, CRLF, without dot-stuffing. */
  readonly raw: Buffer;
  /** Asked in the moment between the server's 354 and the first byte of the body; false: it must not go out. */
  readonly beforeBody: () => boolean;
}

/** Why a mail was not taken, as far as it is known. */
export interface SmtpFailure {
  /** nodemailer's code (`EAUTH`, `ETLS`, `EENVELOPE`, ...), or one of ours: `EDEADLINE`, `ECALLEDBACK`. */
  readonly code: string;
  /** The phase: `CONN`, `AUTH PLAIN`, `MAIL FROM`, `RCPT TO`, `DATA`, ... */
  readonly command: string;
  /** The server's answer; undefined when there was none. */
  readonly reply: string | undefined;
  readonly responseCode: number | undefined;
  /** The body has gone, or may have gone, out. */
  readonly bodyStarted: boolean;
}

export type SendResult =
  | { readonly kind: "accepted"; readonly reply: string }
  | { readonly kind: "failed"; readonly failure: SmtpFailure };

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Object.entries(error).find(([key]) => key === name)?.[1] : undefined;

/** Reads an error of nodemailer. It looks the same before and after the body: that part is for us to know. */
const failureOf = (error: unknown, bodyStarted: boolean): SmtpFailure => {
  const responseCode = field(error, "responseCode");
  const reply = field(error, "response");
  return {
    code: String(field(error, "code") ?? "EUNKNOWN"),
    command: String(field(error, "command") ?? "CONN"),
    reply: typeof reply === "string" ? reply : undefined,
    responseCode: typeof responseCode === "number" ? responseCode : undefined,
    bodyStarted,
  };
};

/** A failure of our own making. */
export const ownFailure = (code: "EDEADLINE" | "ECALLEDBACK", bodyStarted: boolean): SmtpFailure => ({
  code,
  command: "CONN",
  reply: undefined,
  responseCode: undefined,
  bodyStarted,
});

/** A session could not be opened; nothing was sent. */
export class SessionRefused extends Error {
  override readonly name = "SessionRefused";
  readonly failure: SmtpFailure;

  constructor(cause: unknown) {
    super("the SMTP session could not be opened", { cause });
    this.failure = failureOf(cause, false);
  }
}

/**
 * One connection to the mail server, over nodemailer's SMTPConnection. Its pool is not used, for it hides the connection:
 * we have to know whether the body went out, and to close the socket when the time for a send is over.
 */
export class SmtpSession {
  readonly #connection: SMTPConnection;
  #usable = true;
  /** Mails that were handed to it. */
  sends = 0;
  idleSince = 0;

  private constructor(connection: SMTPConnection) {
    this.#connection = connection;
    connection.on("error", () => {
      this.#usable = false;
    });
    connection.on("end", () => {
      this.#usable = false;
    });
  }

  /**
   * Connects, secures, logs in.
   *
   * @throws {SessionRefused} also when the signal is aborted
   */
  static async open(server: SmtpServer, timeoutMs: number, signal: AbortSignal): Promise<SmtpSession> {
    const { host, port, tls, username, password, tlsOptions } = server;
    const connection = new SMTPConnection({
      host,
      port,
      secure: tls === "implicit",
      requireTLS: tls === "starttls",
      ignoreTLS: tls === "none",
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
      socketTimeout: 10 * timeoutMs,
      socketCloseTimeout: 0,
      tls: { minVersion: "TLSv1.2", ...tlsOptions },
    });
    const session = new SmtpSession(connection);
    const { promise, resolve, reject } = Promise.withResolvers<SmtpSession>();
    const refuse = (cause: unknown) => {
      session.close();
      reject(new SessionRefused(cause));
    };
    const onAbort = () => refuse(Object.assign(new Error("called back"), { code: "ECALLEDBACK" }));
    signal.addEventListener("abort", onAbort);
    connection.once("error", refuse);
    connection.connect((error) => {
      if (error) return refuse(error);
      if (username === undefined || password === undefined) return resolve(session);
      connection.login({ user: username, pass: password }, (loginError) =>
        loginError ? refuse(loginError) : resolve(session),
      );
    });
    if (signal.aborted) onAbort();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      connection.off("error", refuse);
    }
  }

  get isUsable(): boolean {
    return this.#usable && !this.#connection.destroyed;
  }

  /**
   * Sends one mail. The body is a stream that nodemailer reads only after the server's 354: so we know exactly whether it
   * went out, and can still call it back in the last moment. An aborted signal closes the socket.
   */
  async send(
    mail: OutgoingMail,
    signal: AbortSignal,
    abortCode: () => "EDEADLINE" | "ECALLEDBACK",
  ): Promise<SendResult> {
    this.sends += 1;
    let bodyStarted = false;
    let calledBack = false;
    const body = new Readable({
      read() {
        if (bodyStarted) return;
        if (!mail.beforeBody()) {
          calledBack = true;
          this.destroy(new Error("called back before the body"));
          return;
        }
        bodyStarted = true;
        this.push(mail.raw);
        this.push(null);
      },
    });
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    const fail = (failure: SmtpFailure) => resolve({ kind: "failed", failure });
    const onAbort = () => {
      fail(ownFailure(abortCode(), bodyStarted));
      this.close();
    };
    signal.addEventListener("abort", onAbort);
    this.#connection.send({ from: mail.from, to: [mail.to], size: mail.raw.length }, body, (error, info) => {
      if (error === null) return resolve({ kind: "accepted", reply: info.response });
      fail(calledBack ? ownFailure("ECALLEDBACK", false) : failureOf(error, bodyStarted));
    });
    if (signal.aborted) onAbort();
    try {
      const result = await promise;
      if (result.kind === "failed" && !(await this.#recover(result.failure))) this.close();
      return result;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** After a clean refusal the session goes on with RSET; after anything else its state is unknown. */
  async #recover(failure: SmtpFailure): Promise<boolean> {
    if (failure.responseCode === undefined || failure.responseCode === 421 || !this.isUsable) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), RESET_TIMEOUT_MS);
    this.#connection.once("error", () => resolve(false));
    this.#connection.reset((error) => resolve(!error));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#usable = false;
    this.#connection.close();
  }
}

const RESET_TIMEOUT_MS = 5_000;
