import type { ConnectionLimit } from "./capacity.ts";
import { isCertificateFault, isTlsFault, type SmtpFailure } from "./failure.ts";
import { mayBeOneTooMany } from "./limit-words.ts";
import { isLoginRefused, type Logins } from "./logins.ts";
import { createOpenings, type Opened, type Openings } from "./openings.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import type { Patience } from "./patience.ts";
import type { Again, Sending } from "./sending.ts";
import { type MailSession, SessionRefused } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { TlsFaults } from "./tls-faults.ts";

/** How a mail comes to a connection where none is idle. */
export interface Connecting {
  /** How many connections the server has been asked for, and has not given or refused. */
  asked(): number;
  /** A connection for the mail, or why there is none; `isOnNew`: one that has sent nothing. */
  next(mail: OutgoingMail, sending: Sending, isOnNew: boolean): Promise<MailSession | SendResult | Again>;
  /** Ends what is opened for no mail. */
  close(): void;
}

export const createConnecting = (deps: {
  readonly open: (signal: AbortSignal) => Promise<MailSession>;
  readonly sessions: Pick<Sessions, "usable" | "untilLeft" | "opened" | "notOpened" | "keep" | "nextFree">;
  readonly limit: Pick<ConnectionLimit, "rest">;
  readonly tlsFaults: TlsFaults;
  readonly logins: Logins;
  readonly patience: Pick<Patience, "watch">;
  readonly deadlineMs: number;
  /** Connections of others, as was heard last: from now on it is listened for. */
  readonly askOthers: () => number;
  /** Nobody need wait for a connection. */
  readonly turnAway: () => void;
  /** What it says of the limit that one was refused. */
  readonly oneTooMany: (failure: SmtpFailure, to: string) => SendResult | Again;
}): Connecting => {
  const { open, sessions, limit, tlsFaults, logins, patience, deadlineMs, askOthers, turnAway, oneTooMany } = deps;

  /** Whether there is a connection, or will be one of those that are being opened now. */
  const hasAnother = async (signal: AbortSignal): Promise<boolean> => {
    if (signal.aborted) return false;
    if (sessions.usable() === 0) {
      const opened = openings.any().then(() => true);
      const aborted = new Promise<false>((resolve) => signal.addEventListener("abort", () => resolve(false)));
      return Promise.race([opened, aborted]).catch(() => false);
    }
    limit.rest();
    return true;
  };

  /** What it says that a connection could not be opened, for the mail that waited for it. */
  const notOpened = async (
    { error, code }: Extract<Opened, { kind: "refused" }>,
    { to, signal }: { readonly to: string; readonly signal: AbortSignal },
  ): Promise<SendResult | Again> => {
    if (!(error instanceof SessionRefused)) throw error;
    if (isLoginRefused(error)) {
      if (sessions.usable() > 0) {
        limit.rest();
        return { kind: "again", failure: error.failure };
      }
      // Each that tried would be a login.
      turnAway();
    }
    const failure = error.failure.code === "ECALLEDBACK" ? { ...error.failure, code } : error.failure;
    // Others were greeted that asked later: this says nothing about how many may ask.
    if (failure.code === "ETOOSLOW") return { kind: "again", failure };
    sessions.notOpened();
    if (isTlsFault(failure)) {
      // What the server says of TLS may be its word for one connection too many.
      if (tlsFaults.failed() && failure.reply === undefined) return { kind: "again", failure };
      if (isCertificateFault(failure) && (await hasAnother(signal))) return { kind: "again", failure };
      const told = { ...failure, certificate: tlsFaults.words() };
      return mayBeOneTooMany(failure) ? oneTooMany(told, to) : { kind: "failed", failure: told };
    }
    return mayBeOneTooMany(failure) ? oneTooMany(failure, to) : { kind: "failed", failure };
  };

  const isOpen = (session: MailSession): void => {
    tlsFaults.opened();
    sessions.opened(session);
  };

  const openings: Openings = createOpenings({
    open,
    untilMayAsk: async (signal) => {
      // The server may still count connections that are closing.
      await sessions.untilLeft();
      return logins.turn(signal);
    },
    patience,
    deadlineMs,
    mayBeFull: () => sessions.usable() === 0 && askOthers() > 0,
    onLeft: (opened) => {
      if (opened.kind === "refused") return void notOpened(opened, { to: "", signal: new AbortController().signal });
      isOpen(opened.session);
      sessions.keep(opened.session);
    },
  });

  /** A connection that is opened for the mail, or another one that comes free sooner: the server may never greet the new one. */
  const next: Connecting["next"] = async (mail, sending, isOnNew) => {
    const { signal, code, dialogue } = sending;
    const { promise, resolve } = Promise.withResolvers<Opened>();
    const takeFree = (session: MailSession) => {
      opening.leave();
      resolve({ kind: "open", session });
    };
    const askNoMore = isOnNew ? () => {} : sessions.nextFree(takeFree);
    const opening = openings.take(dialogue.failures, (opened) => {
      askNoMore();
      if (opened.kind === "open") isOpen(opened.session);
      resolve(opened);
    });
    const end = () => opening.end(code());
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    const opened = await promise;
    signal.removeEventListener("abort", end);
    return opened.kind === "open" ? opened.session : notOpened(opened, { to: mail.to, signal });
  };

  return { asked: openings.asked, next, close: openings.close };
};
