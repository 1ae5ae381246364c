import type { EndCode } from "./failure.ts";
import type { LoginTurn } from "./logins.ts";
import type { Patience } from "./patience.ts";
import type { MailSession } from "./session.ts";

/** What became of a connection that was being opened. */
export type Opened =
  | { readonly kind: "open"; readonly session: MailSession }
  /** `error`: a `SessionRefused`, unless our code is at fault. `code`: why it was ended, if we ended it. */
  | { readonly kind: "refused"; readonly error: unknown; readonly code: EndCode };

type Hear = (opened: Opened) => void;

/** A mail's share in a connection that is being opened. */
export interface Opening {
  /** Ends it: the mail that waits for it is over. */
  end(code: EndCode): void;
  /** The mail has another one: it is opened for the pool. */
  leave(): void;
}

/** The connections that are being opened. Each is waited for by one mail at most, and goes into the pool if that has found another one. */
export interface Openings {
  /** How many the server has been asked for. */
  asked(): number;
  /** Resolves when one of them is open; rejects if none will be. */
  any(): Promise<unknown>;
  /** One that no mail waits for any more, or a new one. `failures`: how often the mail failed before. */
  take(failures: number, hear: Hear): Opening;
  /** Ends those that no mail waits for. */
  close(): void;
}

/** One that is asked for while others have connections is not waited for any longer: the mail has a chance elsewhere. */
const SILENT_MS = 3_000;
/** What others have is heard until then. */
const LISTEN_MS = 1_000;
const LOOK_EVERY_MS = 500;

const now = () => performance.now();

export const createOpenings = (deps: {
  readonly open: (signal: AbortSignal) => Promise<MailSession>;
  /** Resolves when another one may be asked for. */
  readonly untilMayAsk: (signal: AbortSignal) => Promise<LoginTurn>;
  readonly patience: Pick<Patience, "watch">;
  readonly deadlineMs: number;
  /** Others have connections, and this pool has none: one that is not greeted is one too many, as far as is known. */
  readonly mayBeFull: () => boolean;
  /** No mail waits for it. */
  readonly onLeft: Hear;
}): Openings => {
  const { open, untilMayAsk, patience, deadlineMs, mayBeFull, onLeft } = deps;
  /** Those that no mail waits for. */
  const left = new Set<(hear: Hear) => Opening>();
  const asked = new Set<Promise<MailSession>>();
  let isClosed = false;

  const begin = (failures: number): ((hear: Hear) => Opening) => {
    const own = new AbortController();
    let code: EndCode = "EDEADLINE";
    let hear = onLeft;
    const stop = (why: EndCode) => {
      code = why;
      own.abort();
    };
    const timer = setTimeout(() => stop("EDEADLINE"), deadlineMs);

    /** Whoever hears of it hears in the same turn in which it is no longer being opened. */
    const run = async (): Promise<void> => {
      const turn = await untilMayAsk(own.signal);
      const done = (opened: Opened) => {
        clearTimeout(timer);
        left.delete(take);
        hear(opened);
      };
      if (turn.kind === "refused") return done({ ...turn, code });
      const watched = patience.watch({ failures, cut: () => stop("ETOOSLOW") });
      const session = open(own.signal);
      asked.add(session);
      const askedAt = now();
      const silence = setInterval(() => {
        if (now() - askedAt >= LISTEN_MS && mayBeFull() && now() - askedAt >= SILENT_MS) stop("EDEADLINE");
      }, LOOK_EVERY_MS);
      const ended = (opened: Opened) => {
        clearInterval(silence);
        asked.delete(session);
        watched.end();
        done(opened);
      };
      await session.then(
        (opened) => {
          watched.gotOn();
          ended({ kind: "open", session: opened });
          turn.ended();
        },
        (error: unknown) => {
          turn.ended(error);
          ended({ kind: "refused", error, code });
        },
      );
    };

    const take = (by: Hear): Opening => {
      hear = by;
      left.delete(take);
      return {
        end: stop,
        leave: () => {
          hear = onLeft;
          if (isClosed) stop("ECALLEDBACK");
          else left.add(take);
        },
      };
    };
    void run();
    return take;
  };

  return {
    asked: () => asked.size,
    any: () => Promise.any(asked),
    take: (failures, hear) => {
      const [take = begin(failures)] = left;
      return take(hear);
    },
    close: () => {
      isClosed = true;
      for (const take of left) take(onLeft).end("ECALLEDBACK");
    },
  };
};
