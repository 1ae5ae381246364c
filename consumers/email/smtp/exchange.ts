import type { Socket } from "node:net";
import { wireBody } from "./body.ts";
import { type EndCode, failureOf, ownFailure, type SmtpFailure } from "./failure.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import type { EnvelopeTurn, Pipelining } from "./pipelining.ts";
import { type Reply, ReplyReader } from "./replies.ts";

type Command = "RSET" | "MAIL FROM" | "RCPT TO" | "DATA";

/** What cannot stand in an envelope: it would be a command of its own. */
const UNSAFE = /[\r\n<>]/;

const offers = (ehlo: string, extension: string): boolean =>
  ehlo.split("\n").some((line) => new RegExp(`^\\d{3}[ -]${extension}(\\s|$)`, "i").test(line));

const refusal = (command: Command, { code: responseCode, text: reply }: Reply): SmtpFailure => ({
  code: command === "RSET" ? "EPROTOCOL" : "EENVELOPE",
  command,
  reply,
  responseCode,
  cause: undefined,
  bodyStarted: false,
});

/** Only a 3yz has a server read what follows as the body (RFC 5321 §3.3); after any other answer it would read commands. */
const isRefused = (command: Command, { code }: Reply): boolean =>
  command === "DATA" ? code < 300 || code >= 400 : code < 200 || code >= 300;

/**
 * Mails over an open connection, one at a time. Where the server offers PIPELINING (RFC 2920), all commands of a mail go out in one
 * segment, unless they are dropped (`pipelining.ts`), with the RSET that ends a refused mail before them. The body goes out in one write, after the server's 354 and the
 * caller's yes: so it is known whether it was sent, and the mail can be cancelled until then.
 */
export class Exchange {
  readonly #socket: Socket;
  readonly #pipelining: Pick<Pipelining, "begin"> | undefined;
  readonly #takesSize: boolean;
  readonly #close: () => void;
  readonly #reader = new ReplyReader();
  #replies: Reply[] = [];
  #waiting: ((reply: Reply | SmtpFailure) => void) | undefined;
  #ended: SmtpFailure | undefined;
  #hasSent = false;
  #isQuitting = false;
  /** A mail is under way. */
  #isBusy = false;
  /** A refused transaction is still open. */
  #needsReset = false;

  /** `ehlo`: the server's reply to EHLO. `pipelining`: of the pool, if it is offered. `close` is called when the server breaks the protocol, or has answered QUIT. */
  constructor(socket: Socket, ehlo: string, pipelining: Pick<Pipelining, "begin">, close: () => void) {
    this.#socket = socket;
    this.#pipelining = offers(ehlo, "PIPELINING") ? pipelining : undefined;
    this.#takesSize = offers(ehlo, "SIZE");
    this.#close = close;
    socket.on("data", (chunk: Buffer) => this.#hear(chunk));
  }

  /** Sends one mail; the failure of one that was refused, or cut off by `end` or `lost`. */
  async send(mail: OutgoingMail): Promise<SendResult> {
    this.#isBusy = true;
    const turn = this.#pipelining?.begin() ?? ONE_BY_ONE;
    const result = await this.#transact(mail, turn);
    turn.ended(undefined);
    this.#isBusy = false;
    this.#hasSent = true;
    // More replies than commands: nobody knows what the next one would answer.
    if (this.#replies.length > 0) this.#close();
    return result;
  }

  /** Nothing more is heard: the mail under way ends with this failure. */
  end(code: EndCode): void {
    this.#finish(ownFailure(code, false));
  }

  /** The connection has ended, by an error or without one. */
  lost(error: unknown): void {
    const cut = this.#reader.cutOff();
    if (cut !== undefined) this.#take(cut);
    this.#finish(failureOf(error ?? { code: "ECONNECTION" }, false));
  }

  quit(): void {
    this.#isQuitting = true;
    this.#socket.write("QUIT\r\n");
  }

  async #transact(mail: OutgoingMail, { isTogether, ended }: EnvelopeTurn): Promise<SendResult> {
    const { from, to, raw, wire, beforeBody } = mail;
    if (UNSAFE.test(from) || UNSAFE.test(to))
      return failed(failureOf({ code: "EENVELOPE", command: "MAIL FROM" }, false));
    const size = this.#takesSize ? ` SIZE=${raw.length}` : "";
    const commands: [Command, string][] = [
      ["MAIL FROM", `MAIL FROM:<${from}>${size}\r\n`],
      ["RCPT TO", `RCPT TO:<${to}>\r\n`],
      ["DATA", "DATA\r\n"],
    ];
    if (this.#needsReset) commands.unshift(["RSET", "RSET\r\n"]);
    if (isTogether) this.#socket.write(commands.map(([, line]) => line).join(""));
    let refused: SmtpFailure | undefined;
    let isSenderAnswered = false;
    for (const [command, line] of commands) {
      if (!isTogether) this.#socket.write(line);
      const reply = await (refused === undefined ? this.#reply() : this.#replyToRefused());
      // A connection that ends after MAIL FROM was answered ended because of the recipient.
      if ("bodyStarted" in reply) {
        if (refused === undefined && isDrop(reply, !this.#hasSent || isSenderAnswered)) ended(false);
        return failed(refused ?? during(isSenderAnswered ? "RCPT TO" : command, reply));
      }
      if (command === "DATA" || (command === "RCPT TO" && !isTogether)) ended(true);
      if (command === "RSET") this.#needsReset = false;
      if (command === "MAIL FROM") isSenderAnswered = true;
      if (isRefused(command, reply)) {
        refused ??= refusal(command, reply);
        this.#needsReset = true;
        // After a 421 about a recipient some servers go on; others end the connection, which is the answer to DATA.
        const isClosing = reply.code === 421 && command !== "RCPT TO";
        if (isClosing || command === "RSET" || !isTogether) return failed(refused);
      } else if (command === "DATA" && refused !== undefined) {
        return failed(await this.#sendNothing(refused));
      }
    }
    if (refused !== undefined) return failed(refused);
    if (this.#ended !== undefined) return failed(during("RCPT TO", this.#ended));
    // One that answered before it was asked would be taken for the answer to the body.
    if (this.#replies.length > 0) return failed(failureOf({ code: "EPROTOCOL", command: "DATA" }, false));
    if (!beforeBody()) return failed(ownFailure("ECALLEDBACK", false));
    this.#socket.write(wire ?? wireBody(raw));
    return this.#bodyResult();
  }

  async #bodyResult(): Promise<SendResult> {
    const reply = await this.#reply();
    if ("bodyStarted" in reply) return failed({ ...reply, bodyStarted: true });
    const { code: responseCode, text } = reply;
    if (responseCode >= 200 && responseCode < 300) return { kind: "accepted", reply: text };
    this.#needsReset = true;
    const failure = { code: "EMESSAGE", command: "DATA", reply: text, responseCode, cause: undefined };
    return failed({ ...failure, bodyStarted: true });
  }

  /**
   * The server takes a body although it refused the envelope (RFC 2920 §3.1 has the client be ready for it): an empty one, to nobody,
   * ends the transaction, whatever the answer. Where the sender was refused it ends with the connection.
   */
  async #sendNothing(refused: SmtpFailure): Promise<SmtpFailure> {
    if (refused.command !== "RCPT TO") {
      this.#close();
      return refused;
    }
    this.#socket.write(".\r\n");
    await this.#replyToRefused();
    return refused;
  }

  /** What is refused is known: a server that is silent after that holds its connection no longer than this. */
  async #replyToRefused(): Promise<Reply | SmtpFailure> {
    const timer = setTimeout(() => {
      this.end("EDEADLINE");
      this.#close();
    }, SILENCE_MS);
    try {
      return await this.#reply();
    } finally {
      clearTimeout(timer);
    }
  }

  #reply(): Promise<Reply | SmtpFailure> | Reply | SmtpFailure {
    const reply = this.#replies.shift() ?? this.#ended;
    if (reply !== undefined) return reply;
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #hear(chunk: Buffer): void {
    const { replies, isBroken } = this.#isQuitting ? { replies: [], isBroken: true } : this.#reader.read(chunk);
    for (const reply of replies) this.#take(reply);
    // Asked nothing, it has nothing to say but that it ends the connection.
    if (!isBroken && (this.#isBusy || replies.length === 0)) return;
    this.#finish(failureOf({ code: "EPROTOCOL" }, false));
    this.#close();
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#replies.push(reply);
    else waiting(reply);
  }

  #finish(failure: SmtpFailure): void {
    this.#ended ??= failure;
    this.#waiting?.(this.#ended);
    this.#waiting = undefined;
  }
}

const SILENCE_MS = 1_000;

const ONE_BY_ONE: EnvelopeTurn = { isTogether: false, ended: () => {} };

const CONNECTION_ENDED = new Set(["ECONNECTION", "ESOCKET", "ETIMEDOUT"]);

/** Commands may have been dropped. What ends before the first reply to a mail may have been idle for too long, unless it `isNew`. */
const isDrop = ({ code }: SmtpFailure, isNew: boolean): boolean =>
  code === "EDEADLINE" || code === "ETOOSLOW" || (isNew && CONNECTION_ENDED.has(code));

const failed = (failure: SmtpFailure): SendResult => ({ kind: "failed", failure });

/** Names the command that was not answered before the connection, or the time, was over. */
const during = (command: Command, failure: SmtpFailure): SmtpFailure =>
  failure.command === "CONN" && failure.code !== "ECALLEDBACK" ? { ...failure, command } : failure;
