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
  /** Connections at the most; one mail at a time each. */
  readonly size: number;
  /** From the first byte to the last answer of one mail, connecting included, in ms. Then the socket is closed. */
  readonly sendDeadlineMs: number;
  /** A connection is given up after so many mails; servers limit them. */
  readonly maxMailsPerConnection?: number;
  /** A connection that was idle for so long is closed, in ms. */
  readonly maxIdleMs?: number;
}

export interface SmtpPool {
  /** Sends a mail; never rejects. An aborted signal calls it back, unless its body has begun to go out. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult>;
  /** Connections that are sending now. */
  busy(): number;
  /** Closes what is idle, waits for what is under way; what comes later is called back. */
  close(): Promise<void>;
}

const MAX_MAILS_PER_CONNECTION = 100;
const MAX_IDLE_MS = 30_000;

/**
 * Connections that are kept and used again: connecting, STARTTLS and login cost more than a mail.
 */
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

  /** First come, first served. False if called back while waiting. */
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
      // The slot goes from hand to hand: `busy` stays.
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

  /** `idle` is in the order of `idleSince`: taken from its end, closed from its beginning. */
  const closeIdle = (): void => {
    idleTimer = undefined;
    for (let oldest = idle[0]; oldest !== undefined; oldest = idle[0]) {
      const leftMs = oldest.idleSince + maxIdleMs - performance.now();
      if (oldest.isUsable && leftMs > 0) {
        idleTimer = setTimeout(closeIdle, leftMs);
        // Nothing is under way: the process may end before.
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

  const giveBack = (session: SmtpSession): void => {
    if (closed || !session.isUsable || session.sends >= maxMails) {
      leave(session);
      return;
    }
    session.idleSince = performance.now();
    idle.push(session);
    if (idleTimer === undefined) closeIdle();
  };

  const sendFresh = async (mail: OutgoingMail, signal: AbortSignal, code: AbortCode): Promise<SendResult> => {
    // The server may count those that are still taking leave.
    await Promise.all(leaving);
    try {
      const session = await SmtpSession.open(server, sendDeadlineMs, signal);
      const result = await session.send(mail, signal, code);
      giveBack(session);
      return result;
    } catch (error) {
      if (!(error instanceof SessionRefused)) throw error;
      const failure = error.failure.code === "ECALLEDBACK" ? { ...error.failure, code: code() } : error.failure;
      return { kind: "failed", failure };
    }
  };

  /** An idle connection may have been closed by the server: nothing went out, so a fresh one is tried at once. */
  const sendOnSome = async (mail: OutgoingMail, signal: AbortSignal, code: AbortCode): Promise<SendResult> => {
    const session = takeIdle();
    if (session === undefined) return sendFresh(mail, signal, code);
    const result = await session.send(mail, signal, code);
    giveBack(session);
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
      const callBack = () => {
        // What is going out cannot be called back; its answer, or the deadline, ends it.
        if (bodyStarted) return;
        code = "ECALLEDBACK";
        end.abort();
      };
      signal.addEventListener("abort", callBack);
      if (signal.aborted) callBack();
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
        signal.removeEventListener("abort", callBack);
        underWay.delete(end);
        freeSlot();
      }
    },
    async close() {
      closed = true;
      clearTimeout(idleTimer);
      for (const session of idle.splice(0)) leave(session);
      if (busy > 0) {
        // Who still waits for an answer has been given up by its caller: it must not keep the process.
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

/** Lost, or left, by the server while it was idle; nothing went out. */
const wasStale = ({ bodyStarted, responseCode, command, code }: SmtpFailure): boolean => {
  if (bodyStarted) return false;
  if (responseCode === undefined) return CONNECTION_LOST.has(code);
  return responseCode === 421 || command === "RSET";
};

type AbortCode = () => "EDEADLINE" | "ECALLEDBACK";
