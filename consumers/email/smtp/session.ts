import { isIP, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { type SmtpTls, smtpOptions } from "../../../runtime/smtp-options.ts";
import { Exchange } from "./exchange.ts";
import { type EndCode, failureOf, type SmtpFailure } from "./failure.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { Pipelining } from "./pipelining.ts";

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** One of the addresses of `host`. */
  readonly address?: string;
  readonly tls: SmtpTls;
  /** What is known of PIPELINING there. */
  readonly pipelining?: Pipelining;
  readonly username?: string;
  readonly password?: string;
  /** For an authority of its own in tests. The certificate is always checked. */
  readonly tlsOptions?: Pick<ConnectionOptions, "ca">;
}

/** An open connection to the mail server, logged in. */
export interface MailSession {
  readonly isUsable: boolean;
  /** Mails sent over it so far. */
  readonly sends: number;
  /** Monotonic, ms; set by the pool. */
  idleSince: number;
  /** Sends one mail. An aborted signal closes the socket. */
  send(mail: OutgoingMail, signal: AbortSignal, abortCode: () => EndCode): Promise<SendResult>;
  /** Sends QUIT (RFC 5321 §4.1.1.10); resolves when the connection is closed, within a second. */
  quit(): Promise<void>;
}

/**
 * Connects, secures, logs in.
 *
 * @throws {SessionRefused} also when the signal is aborted
 */
export type OpenSession = (server: SmtpServer, timeoutMs: number, signal: AbortSignal) => Promise<MailSession>;

/** The same; it is refused, too, if the server has not greeted within so many ms. */
export type OpenAtAddress = (
  server: SmtpServer,
  timeoutMs: number,
  signal: AbortSignal,
  greetedWithinMs?: number,
) => Promise<MailSession>;

/**
 * Refusals after which the session continues: RSET, then the next mail. After a 530 it is no longer logged in. A 421 announces its
 * end (RFC 5321 §4.2.3), but many servers defer a recipient by one and go on; the next mail finds out.
 */
const isCleanRefusal = ({ responseCode = 0, command }: SmtpFailure): boolean =>
  responseCode >= 400 && responseCode !== 530 && command !== "RSET" && (responseCode !== 421 || command === "RCPT TO");

/** A session could not be opened; nothing was sent. */
export class SessionRefused extends Error {
  override readonly name = "SessionRefused";
  readonly failure: SmtpFailure;

  constructor(cause: unknown) {
    super("the SMTP session could not be opened", { cause });
    this.failure = failureOf(cause, false);
  }
}

/** The socket under nodemailer's connection once it is open, in our hands: nodemailer hears only of its end. */
const takeOver = ({ _socket: socket }: SMTPConnection): Socket => {
  if (!socket) throw new Error("an open SMTP connection has no socket");
  return socket.removeAllListeners("data");
};

/**
 * One connection to the mail server. nodemailer opens it: name, greeting, STARTTLS, login. The mails are ours (`exchange.ts`): this
 * code must know whether the body was sent, and close the socket at the deadline.
 */
export class SmtpSession implements MailSession {
  readonly #connection: SMTPConnection;
  readonly #exchange: Exchange;
  #usable = true;
  sends = 0;
  idleSince = 0;

  private constructor(connection: SMTPConnection, ehlo: string, pipelining: Pipelining) {
    this.#connection = connection;
    this.#exchange = new Exchange(takeOver(connection), ehlo, pipelining, () => this.close());
    connection.on("error", (error) => this.#lost(error));
    connection.on("end", () => this.#lost(undefined));
  }

  static async open(
    server: SmtpServer,
    timeoutMs: number,
    signal: AbortSignal,
    greetedWithinMs?: number,
  ): Promise<SmtpSession> {
    const { host, address, username, password, tlsOptions, pipelining = alwaysTogether() } = server;
    const options = smtpOptions(server, timeoutMs);
    const connection = new SMTPConnection({
      ...options,
      // The certificate is the name's, whatever the address.
      ...(address === undefined || isIP(host) !== 0 ? {} : { host: address, servername: host }),
      socketTimeout: 10 * timeoutMs,
      socketCloseTimeout: 0,
      tls: { ...options.tls, ...tlsOptions },
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const refuse = (cause: unknown) => {
      connection.close();
      reject(new SessionRefused(cause));
    };
    const onAbort = () => {
      const isUngreeted = connection.stage === "connected" && connection.lastServerResponse === false;
      const timeoutType = isUngreeted ? "GREETING_TIMEOUT" : undefined;
      refuse(Object.assign(new Error("cancelled"), { code: "ECALLEDBACK", timeoutType }));
    };
    const onSilence = () => {
      if (connection.lastServerResponse !== false) return;
      refuse(Object.assign(new Error("not greeted"), { code: "ETIMEDOUT", timeoutType: "GREETING_TIMEOUT" }));
    };
    const silence = greetedWithinMs === undefined ? undefined : setTimeout(onSilence, greetedWithinMs);
    signal.addEventListener("abort", onAbort);
    // What it raises after it was refused is of no interest.
    connection.on("error", () => {});
    connection.on("error", refuse);
    connection.connect((error) => {
      if (error) return refuse(error);
      const ehlo = connection.lastServerResponse || "";
      if (username === undefined || password === undefined) return resolve(ehlo);
      connection.login({ user: username, pass: password }, (loginError) =>
        loginError ? refuse(loginError) : resolve(ehlo),
      );
    });
    if (signal.aborted) onAbort();
    try {
      return new SmtpSession(connection, await promise, pipelining);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", onAbort);
      connection.off("error", refuse);
    }
  }

  get isUsable(): boolean {
    return this.#usable && !this.#connection.destroyed;
  }

  async send(mail: OutgoingMail, signal: AbortSignal, abortCode: () => EndCode): Promise<SendResult> {
    this.sends += 1;
    const onAbort = () => {
      this.#exchange.end(abortCode());
      this.close();
    };
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    try {
      const result = await this.#exchange.send(mail);
      if (result.kind === "failed" && !isCleanRefusal(result.failure)) this.close();
      return result;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async quit(): Promise<void> {
    if (!this.isUsable) return this.close();
    this.#usable = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#connection.once("end", resolve);
    const timer = setTimeout(() => this.close(), QUIT_TIMEOUT_MS);
    this.#exchange.quit();
    await promise;
    clearTimeout(timer);
  }

  close(): void {
    this.#usable = false;
    this.#connection.close();
  }

  #lost(error: unknown): void {
    this.#usable = false;
    this.#exchange.lost(error);
  }
}

const alwaysTogether = () => new Pipelining({ now: () => 0, onOneByOne: () => {} });

const QUIT_TIMEOUT_MS = 1_000;
