import type { Database } from "../../database/connection.ts";
import { listSignOuts, type SignOut, saveSignOut } from "../../database/console-sign-outs.ts";
import { pause } from "../../runtime/loop.ts";
import { type OpenSession, SESSION_LIFE_MS } from "./session.ts";

/** What of a session tells whether it was ended. */
export type EndableSession = Pick<OpenSession, "id" | "name" | "role" | "begunAt">;

/** Sessions that were ended before their time. Postgres knows them, so all replicas of the api do. */
export interface SignOuts {
  /** For who looks: by what is known, at most a few seconds old; by what was known last while Postgres does not answer. */
  hasEnded(session: EndableSession): Promise<boolean>;
  /**
   * For who acts: asks Postgres now.
   *
   * @throws {Error} if it does not answer: then nobody may act
   */
  hasEndedNow(session: EndableSession): Promise<boolean>;
  /**
   * Ends a session, or all of its name and role that have begun until now.
   *
   * @throws {Error} if Postgres does not take it
   */
  end(session: EndableSession, scope: "here" | "everywhere"): Promise<void>;
}

export interface SignOutsDeps {
  readonly db: () => Database;
  /** ms since 1970. */
  readonly wallClockMs: () => number;
  /** Monotonic, ms. */
  readonly monotonicMs: () => number;
}

const FRESH_MS = 2_000;
/** Who looks does not wait longer for Postgres, and who acts not longer than that. */
const LOOK_WITHIN_MS = 500;
const ACT_WITHIN_MS = 5_000;

const within = async <Value>(ms: number, answer: Promise<Value>): Promise<Value> => {
  const done = new AbortController();
  answer.catch(() => {});
  const late = pause(ms, done.signal).then((): never => {
    throw new Error(`PostgreSQL has not answered within ${ms} ms`);
  });
  late.catch(() => {});
  return Promise.race([answer, late]).finally(() => done.abort());
};

const ends = ({ role, name, sessionId, endedAt }: SignOut, session: EndableSession): boolean =>
  role === session.role &&
  name === session.name &&
  (sessionId === null ? session.begunAt < endedAt.getTime() : sessionId === session.id);

export const createSignOuts = ({ db, wallClockMs, monotonicMs }: SignOutsDeps): SignOuts => {
  let known: { readonly list: readonly SignOut[]; readonly at: number } | undefined;
  let reading: Promise<readonly SignOut[]> | undefined;

  const ask = async (): Promise<readonly SignOut[]> => {
    const list = await listSignOuts(db());
    known = { list, at: monotonicMs() };
    return list;
  };

  const askOnce = (): Promise<readonly SignOut[]> => {
    reading ??= ask().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  const look = async (): Promise<readonly SignOut[]> => {
    if (known !== undefined && monotonicMs() - known.at < FRESH_MS) return known.list;
    try {
      return await within(LOOK_WITHIN_MS, askOnce());
    } catch {
      // The next who looks need not wait for it again.
      known = { list: known?.list ?? [], at: monotonicMs() };
      return known.list;
    }
  };

  return {
    hasEnded: async (session) => (await look()).some((each) => ends(each, session)),
    hasEndedNow: async (session) => (await within(ACT_WITHIN_MS, ask())).some((each) => ends(each, session)),
    async end({ id, name, role }, scope) {
      const endedAt = new Date(wallClockMs());
      const signOut = { role, name, sessionId: scope === "here" ? id : null, endedAt };
      await within(ACT_WITHIN_MS, saveSignOut(db(), signOut, new Date(endedAt.getTime() + SESSION_LIFE_MS)));
      known = undefined;
    },
  };
};
