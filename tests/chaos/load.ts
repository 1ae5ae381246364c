import { pause } from "../../runtime/loop.ts";
import type { Random } from "./random.ts";

/** A signup that was answered 201: the promise that is audited. */
export interface Accepted {
  readonly eventId: string;
  readonly email: string;
  /** Monotonic, ms. */
  readonly at: number;
}

export interface Load {
  readonly accepted: readonly Accepted[];
  /** Answers by status; `none` where there was no answer. */
  readonly answers: ReadonlyMap<string, number>;
  /** The slowest answer, in ms. */
  slowestMs(): number;
  stop(): Promise<void>;
}

const GIVE_UP_MS = 30_000;

/** Signs people up, steadily, at one API or another. */
export const startLoad = (urls: readonly string[], perSecond: number, random: Random): Load => {
  const accepted: Accepted[] = [];
  const answers = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let slowest = 0;
  let people = 0;

  const signUp = async (url: string): Promise<void> => {
    people += 1;
    const name = `person-${people}-${Math.floor(random.next() * 1e9)}`;
    const email = `${name}@inbox-${people % 50}.example`;
    const startedAt = performance.now();
    let answer = "none";
    try {
      const response = await fetch(`${url}/api/v1/user/`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ user_name: name, email, password: "correct horse battery" }),
        signal: AbortSignal.timeout(GIVE_UP_MS),
      });
      answer = String(response.status);
      const body: { readonly welcome_email?: { readonly event_id: string } } = await response.json();
      slowest = Math.max(slowest, performance.now() - startedAt);
      if (body.welcome_email !== undefined) {
        accepted.push({ eventId: body.welcome_email.event_id, email, at: performance.now() });
      }
    } catch {
      // The process was killed, or is frozen: nobody was promised anything.
    }
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const one = signUp(random.pick(urls));
      underWay.add(one);
      void one.finally(() => underWay.delete(one));
      await pause(1_000 / perSecond, stopping.signal);
    }
  };
  const running = run();
  return {
    accepted,
    answers,
    slowestMs: () => slowest,
    stop: async () => {
      stopping.abort();
      await running;
      await Promise.all(underWay);
    },
  };
};
