import { pause } from "../../runtime/loop.ts";
import { createActivity } from "./activity.ts";
import type { Random } from "./random.ts";

/** A signup that was accepted: the promise that is audited. */
export interface Accepted {
  readonly eventId: string;
  readonly email: string;
  /** Monotonic, ms. */
  readonly at: number;
}

/** The responses to first requests that began, and were answered, while somebody watched. */
export interface Watch {
  /** How many had one of these statuses, `none` without one. */
  answered(...statuses: readonly string[]): number;
  stop(): void;
}

export interface Load {
  /** Append only. */
  readonly accepted: readonly Accepted[];
  /** Responses by status, `none` without one. Those to repeated requests are counted separately. */
  readonly responses: ReadonlyMap<string, number>;
  /** Addresses that were refused to a repeated request with the same Idempotency-Key, as in use by its own first. */
  readonly wronglyRefused: readonly string[];
  /** Addresses of which every request was answered by 503, and the fault in force at the last of them. */
  readonly unavailable: ReadonlyMap<string, string>;
  /** From now on: requests that are in flight already do not count. */
  watch(): Watch;
  /** The slowest response, in ms. */
  slowestMs(): number;
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly urls: readonly string[];
  readonly perSecond: number;
  readonly random: Random;
  readonly currentFault: () => string;
}

const TIMEOUT_MS = 30_000;
const REPEAT_AFTER_MS = 1_000;

/** The domain of two signups of ten. */
export const LARGE_DOMAIN = "large.example";
const LARGE_SHARE = 0.2;
const SMALL_DOMAINS = 50;

export const smallDomain = (n: number): string => `inbox-${n % SMALL_DOMAINS}.example`;

interface Signup {
  readonly key: string;
  readonly email: string;
  readonly body: string;
}

/** A steady load of signups on random APIs. A request without a response, or with a 5xx, is repeated once with its Idempotency-Key. */
export const startLoad = ({ urls, perSecond, random, currentFault }: LoadOptions): Load => {
  const accepted: Accepted[] = [];
  const wronglyRefused: string[] = [];
  const unavailable = new Map<string, string>();
  const responses = new Map<string, number>();
  const { signal, start, begin, stop } = createActivity();
  let slowest = 0;
  let people = 0;

  const aSignup = (): Signup => {
    people += 1;
    const name = `person-${people}-${Math.floor(random.next() * 1e9)}`;
    const email = `${name}@${random.next() < LARGE_SHARE ? LARGE_DOMAIN : smallDomain(people)}`;
    const body = JSON.stringify({ user_name: name, email, password: "correct horse battery" });
    return { key: name, email, body };
  };

  /** Undefined: no response, so nothing was promised. */
  const send = async (url: string, { key, email, body }: Signup): Promise<number | undefined> => {
    const startedAt = performance.now();
    try {
      const response = await fetch(`${url}/api/v1/user/`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer: { readonly welcome_email?: { readonly event_id: string } } = await response.json();
      slowest = Math.max(slowest, performance.now() - startedAt);
      if (answer.welcome_email !== undefined) {
        accepted.push({ eventId: answer.welcome_email.event_id, email, at: performance.now() });
      }
      return response.status;
    } catch {
      return undefined;
    }
  };
  const watchers = new Set<Map<string, number>>();
  const add = (counts: Map<string, number>, response: string) => counts.set(response, (counts.get(response) ?? 0) + 1);

  const signUp = async (first: string, second: string): Promise<void> => {
    const signup = aSignup();
    const watching = [...watchers];
    const status = await send(first, signup);
    const response = String(status ?? "none");
    add(responses, response);
    for (const counts of watching) if (watchers.has(counts)) add(counts, response);
    if (status !== undefined && status < 500) return;
    await pause(REPEAT_AFTER_MS, signal);
    const again = await send(second, signup);
    add(responses, `${again ?? "none"} (repeated)`);
    if (again === 400 || again === 422) wronglyRefused.push(signup.email);
    if (status === 503 && again === 503) unavailable.set(signup.email, currentFault());
  };

  start(1_000 / perSecond, () => begin(signUp(random.pick(urls), random.pick(urls))));
  return {
    accepted,
    responses,
    wronglyRefused,
    unavailable,
    watch() {
      const counts = new Map<string, number>();
      watchers.add(counts);
      return {
        answered: (...statuses) => statuses.reduce((sum, status) => sum + (counts.get(status) ?? 0), 0),
        stop: () => void watchers.delete(counts),
      };
    },
    slowestMs: () => slowest,
    stop,
  };
};
