import { isIP } from "node:net";
import { dnsCache, resolveHostname } from "nodemailer/lib/shared";
import { isTlsFault } from "./failure.ts";
import { type MailSession, type OpenAtAddress, type OpenSession, SessionRefused } from "./session.ts";

/** An address is asked after others for so long once it greeted nobody, twice as long each time, in ms. */
const FIRST_REST_MS = 30_000;
const LONGEST_REST_MS = 600_000;
/** Another address is asked after so many ms, or so many times what is usual; each one more has so many times as long. */
const SILENT_MS = 2_000;
const SLOW_TIMES = 5;
const LONGER_TIMES = 4;
/** What ended sooner shows nothing of its address, in ms. */
const SHORT_MS = 900;
/** Share of the newest connection in how long one takes. */
const NEWEST = 0.2;

interface Rest {
  readonly times: number;
  readonly until: number;
}

/**
 * Which addresses of a mail server's name greet. One that does not, while a later connection to another one is greeted, comes after the others for a
 * while, and is asked first once that is over. While none greets, none is preferred. Times are monotonic, ms.
 */
export class Addresses {
  readonly #random: () => number;
  readonly #rests = new Map<string, Rest>();
  /** When the last connection was begun that was greeted. */
  readonly #greeted = new Map<string, number>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** In which order they are asked: IPv6 first, as RFC 8305 has it. Whoever asks one again whose rest is over is the only one to do so. */
  order(all: readonly string[], now: number): readonly string[] {
    const inTurn = all
      .map((address) => ({ address, rest: this.#rests.get(address), at: this.#random() - isIP(address) }))
      .toSorted((one, other) => (one.rest?.until ?? 0) - (other.rest?.until ?? 0) || one.at - other.at);
    const again = inTurn.find(({ rest }) => rest !== undefined && rest.until <= now);
    if (again === undefined) return inTurn.map(({ address }) => address);
    this.#rest(again.address, again.rest?.times ?? 0, now);
    return [again.address, ...inTurn.filter((each) => each !== again).map(({ address }) => address)];
  }

  /** It has said something, if only that there is no room. */
  greeted(address: string, startedAt: number): void {
    this.#greeted.set(address, Math.max(startedAt, this.#greeted.get(address) ?? 0));
    this.#rests.delete(address);
  }

  /** A connection that was begun at `startedAt` was not greeted. */
  silent(address: string, startedAt: number, now: number): void {
    const isElsewhere = [...this.#greeted].some(([other, at]) => other !== address && at >= startedAt);
    if (!isElsewhere || (this.#greeted.get(address) ?? Number.NEGATIVE_INFINITY) >= startedAt) return;
    this.#rest(address, (this.#rests.get(address)?.times ?? 0) + 1, now);
  }

  #rest(address: string, times: number, now: number): void {
    const forMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (Math.max(1, times) - 1));
    this.#rests.set(address, { times, until: now + forMs });
  }
}

/** The addresses of a name; none if it is one, or if they cannot be had: what connects says why. */
const resolve = (host: string, timeoutMs: number, signal: AbortSignal): Promise<readonly string[]> =>
  new Promise((done) => {
    if (isIP(host) !== 0) return done([]);
    const abort = () => done([]);
    signal.addEventListener("abort", abort);
    resolveHostname({ host, timeout: timeoutMs }, (error) => {
      // One signal may be that of any number of questions.
      signal.removeEventListener("abort", abort);
      done(error === null ? (dnsCache.get(host)?.value.addresses ?? []) : []);
    });
  });

/** The address does not work, or the server behind it has no room: another one may. */
const isOfAddress = ({ failure }: SessionRefused): boolean =>
  failure.reply === undefined && !isTlsFault(failure) && !["EAUTH", "EDNS", "ECALLEDBACK"].includes(failure.code);

/**
 * Opens a connection to one of the addresses of the server's name, one after the other: each may be silent (RFC 5321 §5.1 has a client
 * try them in order; RFC 8305 has it not wait for one that is dead). Where there is one address, it has all of the time.
 */
export const openAtSomeAddress = (
  open: OpenAtAddress,
  { now, random }: { readonly now: () => number; readonly random: () => number },
): OpenSession => {
  const addresses = new Addresses(random);
  let usualMs = 0;

  return async (server, timeoutMs, signal): Promise<MailSession> => {
    const all = await resolve(server.host, timeoutMs, signal);
    if (all.length < 2) return open(server, timeoutMs, signal);
    const waiting = [...addresses.order(all, now())];
    const silent: { readonly address: string; readonly startedAt: number }[] = [];
    const end = () => {
      for (const { address, startedAt } of silent) addresses.silent(address, startedAt, now());
    };
    for (let patienceMs = Math.max(SILENT_MS, SLOW_TIMES * usualMs); ; patienceMs *= LONGER_TIMES) {
      const address = waiting.shift() ?? server.host;
      const greetedWithinMs = waiting.length === 0 ? undefined : patienceMs;
      const startedAt = now();
      try {
        const session = await open({ ...server, address }, timeoutMs, signal, greetedWithinMs);
        usualMs = usualMs === 0 ? now() - startedAt : usualMs + NEWEST * (now() - startedAt - usualMs);
        addresses.greeted(address, startedAt);
        end();
        return session;
      } catch (error) {
        const isRefused = error instanceof SessionRefused;
        if (isRefused && error.failure.reply !== undefined) addresses.greeted(address, startedAt);
        const isSilent = isRefused && error.failure.cause === "GREETING_TIMEOUT";
        if (isRefused && (isOfAddress(error) || (signal.aborted && now() - startedAt >= SHORT_MS)))
          silent.push({ address, startedAt });
        if (signal.aborted || !isRefused || !isOfAddress(error) || waiting.length === 0) {
          end();
          throw error;
        }
        // It may only be slow; but who has had all of the time is away.
        if (isSilent && patienceMs < timeoutMs) waiting.push(address);
      }
    }
  };
};
