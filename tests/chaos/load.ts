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
  /** Only ever added to. */
  readonly accepted: readonly Accepted[];
  /** Answers by status; `none` where there was no answer. Those of a second asking count apart. */
  readonly answers: ReadonlyMap<string, number>;
  /** Second askings under the same Idempotency-Key that were told that the address is taken: by themselves. */
  readonly wronglyRefused: readonly string[];
  /** The slowest answer, in ms. */
  slowestMs(): number;
  stop(): Promise<void>;
}

const GIVE_UP_MS = 30_000;
const ASK_AGAIN_MS = 1_000;

interface Signup {
  readonly key: string;
  readonly email: string;
  readonly body: string;
}

/** Signs people up, steadily, at one API or another. Who gets no answer asks once more, as a good client does. */
export const startLoad = (urls: readonly string[], perSecond: number, random: Random): Load => {
  const accepted: Accepted[] = [];
  const wronglyRefused: string[] = [];
  const answers = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let slowest = 0;
  let people = 0;

  const aSignup = (): Signup => {
    people += 1;
    const name = `person-${people}-${Math.floor(random.next() * 1e9)}`;
    const email = `${name}@inbox-${people % 50}.example`;
    const body = JSON.stringify({ user_name: name, email, password: "correct horse battery" });
    return { key: name, email, body };
  };

  /** Undefined: no answer. The process was killed, or is frozen: nobody was promised anything. */
  const ask = async (url: string, { key, email, body }: Signup): Promise<number | undefined> => {
    const startedAt = performance.now();
    try {
      const response = await fetch(`${url}/api/v1/user/`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body,
        signal: AbortSignal.timeout(GIVE_UP_MS),
      });
      const told: { readonly welcome_email?: { readonly event_id: string } } = await response.json();
      slowest = Math.max(slowest, performance.now() - startedAt);
      if (told.welcome_email !== undefined) {
        accepted.push({ eventId: told.welcome_email.event_id, email, at: performance.now() });
      }
      return response.status;
    } catch {
      return undefined;
    }
  };
  const note = (answer: string) => answers.set(answer, (answers.get(answer) ?? 0) + 1);

  const signUp = async (first: string, second: string): Promise<void> => {
    const signup = aSignup();
    const status = await ask(first, signup);
    note(String(status ?? "none"));
    if (status !== undefined && status < 500) return;
    await pause(ASK_AGAIN_MS, stopping.signal);
    const again = await ask(second, signup);
    note(`${again ?? "none"} (asked again)`);
    if (again === 400 || again === 422) wronglyRefused.push(signup.email);
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const one = signUp(random.pick(urls), random.pick(urls));
      underWay.add(one);
      void one.finally(() => underWay.delete(one));
      await pause(1_000 / perSecond, stopping.signal);
    }
  };
  const running = run();
  return {
    accepted,
    answers,
    wronglyRefused,
    slowestMs: () => slowest,
    stop: async () => {
      stopping.abort();
      await running;
      await Promise.all(underWay);
    },
  };
};
