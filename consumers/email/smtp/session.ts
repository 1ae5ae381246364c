import { Readable } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { type SmtpTls, smtpOptions } from "../../../runtime/smtp-options.ts";

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly tls: SmtpTls;
  readonly username?: string;
  readonly password?: string;
  /** For an authority of its own in tests. The certificate is always checked. */
  readonly tlsOptions?: Pick<ConnectionOptions, "ca">;
}

/** A mail as it goes over the wire. The envelope has one recipient. */
export interface OutgoingMail {
  readonly from: string;
  readonly to: string;
  /** MIME, CRLF, without dot-stuffing. */
  readonly raw: Buffer;
  /** Called between the server's 354 and the first byte of the body; false: the body must not be sent. */
  readonly beforeBody: () => boolean;
}

/** Why a mail was not accepted. */
export interface SmtpFailure {
  /** nodemailer's code (`EAUTH`, `ETLS`, `EENVELOPE`, ...), or one of ours: `EDEADLINE`, `ECALLEDBACK`, `EBUSY`. */
  readonly code: string;
  /** The phase: `CONN`, `AUTH PLAIN`, `MAIL FROM`, `RCPT TO`, `DATA`, ... */
  readonly command: string;
  /** The server's reply; undefined if there was none. */
  readonly reply: string | undefined;
  readonly responseCode: number | undefined;
  /** The code of the cause, from the system, TLS or nodemailer: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `GREETING_TIMEOUT`. */
  readonly cause: string | undefined;
  /** The body was sent, or may have been sent. */
  readonly bodyStarted: boolean;
}

export type SendResult =
  | { readonly kind: "accepted"; readonly reply: string }
  | { readonly kind: "failed"; readonly failure: SmtpFailure };

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Object.entries(error).find(([key]) => key === name)?.[1] : undefined;

/** Maps an error of nodemailer, which does not show whether the body had started. */
const failureOf = (error: unknown, bodyStarted: boolean): SmtpFailure => {
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

/** A failure that this side caused. */
export const ownFailure = (code: "EDEADLINE" | "ECALLEDBACK" | "EBUSY", bodyStarted: boolean): SmtpFailure => ({
  code,
  command: "CONN",
  reply: undefined,
  responseCode: undefined,
  cause: undefined,
  bodyStarted,
});

/** Codes after which a session is unusable: it is closing, or no longer logged in. */
const SESSION_ENDING = new Set([421, 530]);

/** Refusals after which the session continues: RSET, then the next mail. */
const isCleanRefusal = ({ responseCode = 0 }: SmtpFailure): boolean =>
  responseCode >= 400 && !SESSION_ENDING.has(responseCode);

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
 * One connection to the mail server, over nodemailer's SMTPConnection. Its pool is not used, because it hides the
 * connection: this code must know whether the body was sent, and close the socket at the deadline.
 */
export class SmtpSession {
  readonly #connection: SMTPConnection;
  #usable = true;
  /** A refused transaction is still open. */
  #needsReset = false;
  /** Mails sent over it so far. */
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
    const { username, password, tlsOptions } = server;
    const options = smtpOptions(server, timeoutMs);
    const connection = new SMTPConnection({
      ...options,
      socketTimeout: 10 * timeoutMs,
      socketCloseTimeout: 0,
      tls: { ...options.tls, ...tlsOptions },
    });
    const session = new SmtpSession(connection);
    const { promise, resolve, reject } = Promise.withResolvers<SmtpSession>();
    const refuse = (cause: unknown) => {
      session.close();
      reject(new SessionRefused(cause));
    };
    const onAbort = () => {
      const isUngreeted = connection.stage === "connected" && connection.lastServerResponse === false;
      const timeoutType = isUngreeted ? "GREETING_TIMEOUT" : undefined;
      refuse(Object.assign(new Error("cancelled"), { code: "ECALLEDBACK", timeoutType }));
    };
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
   * Sends one mail. The body is a stream that nodemailer reads only after the server's 354: so it is known whether the
   * body was sent, and the mail can be cancelled until then. An aborted signal closes the socket.
   */
  async send(
    mail: OutgoingMail,
    signal: AbortSignal,
    abortCode: () => "EDEADLINE" | "ECALLEDBACK",
  ): Promise<SendResult> {
    this.sends += 1;
    const resetFailure = this.#needsReset ? await this.#reset(signal, abortCode) : undefined;
    if (resetFailure !== undefined) {
      this.close();
      return { kind: "failed", failure: resetFailure };
    }
    this.#connection.lastServerResponse = false;
    let bodyStarted = false;
    let isCancelled = false;
    const body = new Readable({
      read() {
        if (bodyStarted) return;
        if (!mail.beforeBody()) {
          isCancelled = true;
          this.destroy(new Error("cancelled before the body"));
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
      fail(isCancelled ? ownFailure("ECALLEDBACK", false) : this.#inPhase(failureOf(error, bodyStarted)));
    });
    if (signal.aborted) onAbort();
    try {
      const result = await promise;
      if (result.kind === "failed") {
        if (isCleanRefusal(result.failure)) this.#needsReset = true;
        else this.close();
      }
      return result;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /**
   * nodemailer reports a connection that ends, with 421 or without a reply, as `CONN`, whatever it ended. A refused MAIL FROM
   * has its own error; so if MAIL FROM was answered, it ended at RCPT TO, or shortly after.
   */
  #inPhase(failure: SmtpFailure): SmtpFailure {
    const { bodyStarted, command, responseCode } = failure;
    const { lastServerResponse } = this.#connection;
    const isAnswered = typeof lastServerResponse === "string" && /^[24]/.test(lastServerResponse);
    const hasEnded = command === "CONN" && (responseCode === undefined || responseCode === 421);
    return hasEnded && isAnswered && !bodyStarted ? { ...failure, command: "RCPT TO" } : failure;
  }

  /**
   * Ends a refused transaction by RSET. Runs before the next mail, within its deadline, so that the refused mail does not
   * wait for it. Undefined if it succeeded.
   */
  async #reset(signal: AbortSignal, abortCode: () => "EDEADLINE" | "ECALLEDBACK"): Promise<SmtpFailure | undefined> {
    const { promise, resolve } = Promise.withResolvers<SmtpFailure | undefined>();
    const onAbort = () => resolve(ownFailure(abortCode(), false));
    const onError = (error: unknown) => resolve(failureOf(error, false));
    signal.addEventListener("abort", onAbort);
    // A lost connection raises the event alone, and never calls back `reset`.
    this.#connection.on("error", onError);
    this.#connection.reset((error) => (error === null ? resolve(undefined) : onError(error)));
    if (signal.aborted) onAbort();
    try {
      const failure = await promise;
      this.#needsReset = failure !== undefined;
      return failure;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#connection.off("error", onError);
    }
  }

  /** Sends QUIT (RFC 5321 §4.1.1.10); resolves when the connection is closed, within a second. */
  async quit(): Promise<void> {
    if (!this.isUsable) return this.close();
    this.#usable = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#connection.once("end", resolve);
    const timer = setTimeout(() => this.close(), QUIT_TIMEOUT_MS);
    this.#connection.quit();
    await promise;
    clearTimeout(timer);
  }

  close(): void {
    this.#usable = false;
    this.#connection.close();
  }
}

const QUIT_TIMEOUT_MS = 1_000;
