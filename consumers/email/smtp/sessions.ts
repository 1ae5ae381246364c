import type { MailSession } from "./session.ts";

/** The connections of a pool: those that are open, free, or closing. */
export interface Sessions {
  /** How many are open. */
  usable(): number;
  /** How many of them have taken a mail. */
  proven(): number;
  prove(session: MailSession): void;
  isProven(session: MailSession): boolean;
  idle(): number;
  /** How long it has had one without a break, in ms. */
  heldForMs(): number;
  /** When one was opened last. Monotonic, ms. */
  lastOpenedAt(): number;
  /** How many were closed so lately that the server may still count them, and by whom: what it closed itself, few servers do. */
  closing(): { readonly byUs: number; readonly byServer: number };
  /** Resolves when those that are being closed are closed. */
  untilLeft(): Promise<unknown>;
  opened(session: MailSession): void;
  /** It was none of those that the server grants: it does not count among those that are closing. */
  disown(session: MailSession): void;
  takeIdle(): MailSession | undefined;
  /** Hands over the next one that becomes free; who asked first is first. Returns a way to ask no more. */
  nextFree(take: (session: MailSession) => void): () => void;
  /** Keeps it for the next mail, hands it to one that waits for it, or closes it. */
  keep(session: MailSession): void;
  leave(session: MailSession): void;
  /** One could not be opened: those that are open may not be replaced soon. */
  notOpened(): void;
  /** Closes the one that is idle longest, or the next that becomes free, and calls `onLeft` then. */
  giveUp(onLeft: () => void): void;
  /** Closes idle ones; later ones are not kept. */
  close(): void;
}

/** One that others stand in for is kept so long, as a share: the server may grant it to somebody who has none. */
const SPARE_IDLE = 1 / 3;
/** For so long after a connection was closed, a server may count it. */
const CLOSING_MS = 300;

/**
 * A connection lives for so many times what opening one takes, at least, as far as that is no more than so many times the usual age: some
 * servers let each client wait for their greeting.
 */
const OPENINGS = 20;
const MOST_AGES = 12;
/** For so long after one could not be opened none is closed for its age, for the number of its mails, or because it is idle: some servers grant so many new ones in a time. */
const SCARCE_MS = 120_000;

export const createSessions = (options: {
  readonly size: number;
  /** Those beyond are closed as soon as they are free. */
  readonly most?: () => number;
  readonly maxMailsPerConnection: number;
  /** How long opening one takes, lately, in ms. */
  readonly openingMs: () => number;
  readonly minAgeMs: number;
  readonly maxIdleMs: number;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Sessions => {
  const { size, most = () => size, maxMailsPerConnection, openingMs, minAgeMs, maxIdleMs, now } = options;
  const spareIdleMs = SPARE_IDLE * maxIdleMs;
  /** Ordered by `idleSince`: reused from its end, closed from its beginning. */
  const idle: MailSession[] = [];
  const openedAt = new Map<MailSession, number>();
  const leaving = new Set<Promise<void>>();
  const takers = new Set<(session: MailSession) => void>();
  let closed: readonly { readonly at: number; readonly byUs: boolean }[] = [];
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  /** The next that becomes free is given up. */
  let owed: (() => void) | undefined;
  let since = 0;
  let lastOpenedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  const isScarce = () => now() - failedAt < SCARCE_MS;
  /** One was closed for its age, and none has been opened since. */
  let isReplacing = false;

  const leave = (session: MailSession): void => {
    if (openedAt.delete(session)) closed = [...closed.slice(-size), { at: now(), byUs: session.isUsable }];
    const left = session.quit().finally(() => leaving.delete(left));
    leaving.add(left);
    const tell = owed;
    owed = undefined;
    tell?.();
  };

  const idleLeftMs = ({ idleSince }: MailSession, mostMs: number): number =>
    Math.max(idleSince + mostMs, failedAt + SCARCE_MS) - now();

  const closeIdle = (): void => {
    idleTimer = undefined;
    for (let oldest = idle[0]; oldest !== undefined; oldest = idle[0]) {
      const leftMs = idleLeftMs(oldest, openedAt.size > 1 ? spareIdleMs : maxIdleMs);
      if (oldest.isUsable && leftMs > 0) {
        // Must not keep the process alive.
        idleTimer = setTimeout(closeIdle, Math.min(leftMs, spareIdleMs)).unref();
        return;
      }
      idle.shift();
      leave(oldest);
    }
  };

  /** Those over which the server took a mail. */
  const proven = new WeakSet<MailSession>();

  return {
    proven: () => [...openedAt.keys()].filter((session) => session.isUsable && proven.has(session)).length,
    prove: (session) => void proven.add(session),
    isProven: (session) => proven.has(session),
    usable: () => [...openedAt.keys()].filter((session) => session.isUsable).length,
    idle: () => idle.length,
    closing: () => {
      const lately = closed.filter(({ at }) => at > now() - CLOSING_MS);
      const byUs = lately.filter((one) => one.byUs).length;
      return { byUs, byServer: lately.length - byUs };
    },
    untilLeft: () => Promise.all(leaving),
    heldForMs: () => now() - since,
    lastOpenedAt: () => lastOpenedAt,
    opened: (session) => {
      lastOpenedAt = now();
      if (openedAt.size === 0) since = lastOpenedAt;
      openedAt.set(session, lastOpenedAt);
      isReplacing = false;
    },
    disown: (session) => {
      failedAt = now();
      openedAt.delete(session);
    },
    takeIdle: () => {
      for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
        if (session.isUsable && idleLeftMs(session, maxIdleMs) > 0) return session;
        leave(session);
      }
      return undefined;
    },
    nextFree: (take) => {
      takers.add(take);
      return () => void takers.delete(take);
    },
    keep: (session) => {
      const oldEnoughMs = Math.max(minAgeMs, Math.min(MOST_AGES * minAgeMs, OPENINGS * openingMs()));
      const isOld = session.sends >= maxMailsPerConnection && now() - (openedAt.get(session) ?? 0) >= oldEnoughMs;
      const isSpent = isOld && !isScarce() && !isReplacing;
      const isSurplus = openedAt.size > most() && !isScarce();
      isReplacing ||= isSpent;
      if (isClosed || !session.isUsable || isSpent || isSurplus || owed !== undefined) {
        leave(session);
        return;
      }
      session.idleSince = now();
      const [take] = takers;
      if (take !== undefined) {
        takers.delete(take);
        take(session);
        return;
      }
      idle.push(session);
      if (idleTimer === undefined) closeIdle();
    },
    leave,
    notOpened: () => {
      failedAt = now();
    },
    giveUp: (onLeft) => {
      // Nothing is owed by who has none.
      if (openedAt.size === 0) return onLeft();
      owed = onLeft;
      const oldest = idle.shift();
      if (oldest !== undefined) leave(oldest);
    },
    close: () => {
      isClosed = true;
      clearTimeout(idleTimer);
      for (const session of idle.splice(0)) leave(session);
    },
  };
};
