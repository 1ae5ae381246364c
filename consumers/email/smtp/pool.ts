import {
  type OutgoingMail,
  ownFailure,
  type SendResult,
  SessionRefused,
  type SmtpFailure,
  type SmtpServer,
  SmtpSession,
} from "./session.ts";

export interface SmtpPoolOptions {
  readonly server: SmtpServer;
  /** Maximum connections; each sends one mail at a time. */
  readonly size: number;
  /** Time limit of one mail in ms, connecting included; then the socket is closed. */
  readonly sendDeadlineMs: number;
  /** Mails after which a connection is closed, because servers limit them. */
  readonly maxMailsPerConnection?: number;
  /** Idle time in ms after which a connection is closed. */
  readonly maxIdleMs?: number;
}

export interface SmtpPool {
  /** Sends a mail; never rejects. An abort cancels it, unless its body has started. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult>;
  /** Connections that are sending now. */
  busy(): number;
  /** Closes idle connections and waits for sends in flight; later sends are cancelled. */
  close(): Promise<void>;
}

const MAX_MAILS_PER_CONNECTION = 100;
const MAX_IDLE_MS = 30_000;

/** A pool of connections that are reused: connecting, STARTTLS and login cost more than a mail. */
export const createSmtpPool = (options: SmtpPoolOptions): SmtpPool => {
  const { server, size, sendDeadlineMs } = options;
  const maxMails = options.maxMailsPerConnection ?? MAX_MAILS_PER_CONNECTION;
  const maxIdleMs = options.maxIdleMs ?? MAX_IDLE_MS;
  const idle: SmtpSession[] = [];
  const waiting: (() => void)[] = [];
  const idleWaiters: (() => void)[] = [];
  const leaving = new Set<Promise<void>>();
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  const underWay = new Set<AbortController>();
  let busy = 0;
  let closed = false;

  /** First in, first out. False if cancelled while waiting. */
  const takeSlot = async (signal: AbortSignal): Promise<boolean> => {
    if (signal.aborted || closed) return false;
    if (busy < size) {
      busy += 1;
      return true;
    }
    return new Promise((resolve) => {
      const go = () => {
        signal.removeEventListener("abort", giveUp);
        resolve(true);
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(go), 1);
        resolve(false);
      };
      waiting.push(go);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  };

  const freeSlot = (): void => {
    const next = waiting.shift();
    if (next !== undefined) {
      // The slot passes to the next send: `busy` does not change.
      next();
      return;
    }
    busy -= 1;
    if (busy === 0) for (const resolve of idleWaiters.splice(0)) resolve();
  };

  const leave = (session: SmtpSession): void => {
    const left = session.quit().finally(() => leaving.delete(left));
    leaving.add(left);
  };

  /** `idle` is ordered by `idleSince`: reused from its end, closed from its beginning. */
  const closeIdle = (): void => {
    idleTimer = undefined;
    for (let oldest = idle[0]; oldest !== undefined; oldest = idle[0]) {
      const leftMs = oldest.idleSince + maxIdleMs - performance.now();
      if (oldest.isUsable && leftMs > 0) {
        idleTimer = setTimeout(closeIdle, leftMs);
        // Must not keep the process alive.
        idleTimer.unref();
        return;
      }
      idle.shift();
      leave(oldest);
    }
  };

  const takeIdle = (): SmtpSession | undefined => {
    for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
      if (session.isUsable && performance.now() - session.idleSince < maxIdleMs) return session;
      leave(session);
    }
    return undefined;
  };

  const keep = (session: SmtpSession): void => {
    if (closed || !session.isUsable || session.sends >= maxMails) {
      leave(session);
      return;
    }
    session.idleSince = performance.now();
    idle.push(session);
    if (idleTimer === undefined) closeIdle();
  };

  const sendFresh = async (mail: OutgoingMail, signal: AbortSignal, code: AbortCode): Promise<SendResult> => {
    // The server may still count connections that are closing.
    await Promise.all(leaving);
    try {
      const session = await SmtpSession.open(server, sendDeadlineMs, signal);
      const result = await session.send(mail, signal, code);
      keep(session);
      return result;
    } catch (error) {
      if (!(error instanceof SessionRefused)) throw error;
      const failure = error.failure.code === "ECALLEDBACK" ? { ...error.failure, code: code() } : error.failure;
      return { kind: "failed", failure };
    }
  };

  /** If the server has closed an idle connection, nothing was sent, and a new one is opened at once. */
  const sendOnSome = async (mail: OutgoingMail, signal: AbortSignal, code: AbortCode): Promise<SendResult> => {
    const session = takeIdle();
    if (session === undefined) return sendFresh(mail, signal, code);
    const result = await session.send(mail, signal, code);
    keep(session);
    if (result.kind === "accepted" || signal.aborted) return result;
    return wasStale(result.failure) ? sendFresh(mail, signal, code) : result;
  };

  return {
    busy: () => busy,
    async send(mail, signal) {
      if (!(await takeSlot(signal))) return { kind: "failed", failure: ownFailure("ECALLEDBACK", false) };
      const end = new AbortController();
      underWay.add(end);
      let code: "EDEADLINE" | "ECALLEDBACK" = "EDEADLINE";
      let bodyStarted = false;
      const timer = setTimeout(() => end.abort(), sendDeadlineMs);
      const cancel = () => {
        // A started body cannot be cancelled; its reply, or the deadline, ends it.
        if (bodyStarted) return;
        code = "ECALLEDBACK";
        end.abort();
      };
      signal.addEventListener("abort", cancel);
      if (signal.aborted) cancel();
      try {
        const watched: OutgoingMail = {
          ...mail,
          beforeBody: () => {
            bodyStarted = mail.beforeBody();
            return bodyStarted;
          },
        };
        return await sendOnSome(watched, end.signal, () => code);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", cancel);
        underWay.delete(end);
        freeSlot();
      }
    },
    async close() {
      closed = true;
      clearTimeout(idleTimer);
      for (const session of idle.splice(0)) leave(session);
      if (busy > 0) {
        // The caller has given up sends that still wait for a reply: they must not keep the process alive.
        const timer = setTimeout(() => {
          for (const end of underWay) end.abort();
        }, CLOSE_GRACE_MS);
        await new Promise<void>((resolve) => idleWaiters.push(resolve));
        clearTimeout(timer);
      }
      await Promise.all(leaving);
    },
  };
};

const CLOSE_GRACE_MS = 500;
const CONNECTION_LOST = new Set(["ECONNECTION", "ESOCKET", "ETIMEDOUT", "EPROTOCOL"]);

/** The server closed the connection while it was idle; nothing was sent. */
const wasStale = ({ bodyStarted, responseCode, command, code }: SmtpFailure): boolean => {
  if (bodyStarted) return false;
  if (responseCode === undefined) return CONNECTION_LOST.has(code);
  return responseCode === 421 || command === "RSET";
};

type AbortCode = () => "EDEADLINE" | "ECALLEDBACK";
