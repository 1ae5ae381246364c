import { silentLog } from "../../../tests/pipeline.ts";
import { simulateTime } from "../../../tests/refused-recipients/time.ts";
import { startSharing } from "../../engine/sharing.ts";
import { aTable, consume, sleep } from "./limited-server-for-tests.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";
import type { MailSession } from "./session.ts";

/** How long a mail takes while so many are under way, in ms. */
export type TimeOf = (count: number) => number;

/** A simulated mail server that gets slower with each connection, and consumers with an endless backlog. */
export interface CrowdedScenario {
  readonly timeOf: TimeOf;
  /** What holds from a moment on, in ms, and until another one. */
  readonly meanwhile?: { readonly fromMs: number; readonly toMs: number; readonly timeOf: TimeOf };
  /** When each of them begins, in ms. */
  readonly startsMs: readonly number[];
  /** Most connections of a consumer. */
  readonly size: number;
  /** Mails take times that are distributed exponentially. */
  readonly isNoisy?: boolean;
  /** What makes it slow: mails that are under way, or connections that are open. */
  readonly counts?: "busy" | "open";
  /** When it is decided how long a mail takes: when it begins, or all the time, as where mails share a disk. */
  readonly decides?: "first" | "always";
  /** Of so many mails one is for a recipient that takes so long. */
  readonly slow?: { readonly each: number; readonly ms: number };
  readonly openingMs?: number;
  /** Of one system: groups by turns. */
  readonly groups?: number;
  readonly runMs: number;
}

const TRIP_MS = 1;
const CLAIM_MS = 40;

/** Most mails a second of a server, with so many connections at least and at most. */
export const bestPerSecond = (timeOf: TimeOf, least: number, most: number): number => {
  let best = 0;
  for (let count = least; count <= most; count += 1) {
    best = Math.max(best, (1_000 * count) / (timeOf(count) + 2 * TRIP_MS));
  }
  return best;
};

/** Work that all that is under way shares: each goes on the slower, the more there are. */
const createSharedWork = (timeOf: () => TimeOf) => {
  const jobs: { readonly until: number; readonly end: () => void }[] = [];
  let done = 0;
  let at = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const goOn = () => {
    done += jobs.length === 0 ? 0 : (performance.now() - at) / timeOf()(jobs.length);
    at = performance.now();
    for (let [first] = jobs; first !== undefined && first.until <= done + 1e-9; [first] = jobs) {
      jobs.shift();
      first.end();
    }
  };
  const wait = () => {
    clearTimeout(timer);
    const [first] = jobs;
    if (first === undefined) return;
    timer = setTimeout(
      () => {
        goOn();
        wait();
      },
      (first.until - done) * timeOf()(jobs.length),
    );
  };
  return (size: number): Promise<void> =>
    new Promise((end) => {
      goOn();
      const until = done + size;
      const before = jobs.findIndex((job) => job.until > until);
      jobs.splice(before < 0 ? jobs.length : before, 0, { until, end });
      wait();
    });
};

/** The same numbers each time. */
const seeded = (seed: number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
};

/** The clock that consumers have in common begins with the simulated one. */
const fromZero = (): Disposable => {
  Object.defineProperty(performance, "timeOrigin", { value: 0, configurable: true });
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(performance, "timeOrigin") };
};

export interface CrowdedOutcome {
  /** When each mail was accepted, in ms, in order. */
  readonly acceptedAt: readonly number[];
  /** Connections that each consumer may use, each second. */
  readonly granted: readonly (readonly number[])[];
}

/** How many were accepted in that time, of ms. */
export const acceptedIn = ({ acceptedAt }: CrowdedOutcome, fromMs: number, toMs: number): number =>
  acceptedAt.filter((at) => at >= fromMs && at < toMs).length;

export const simulateCrowd = async (scenario: CrowdedScenario): Promise<CrowdedOutcome> => {
  using time = simulateTime();
  using _origin = fromZero();
  const { startsMs, size, isNoisy = false, counts = "busy", decides = "first", slow, runMs, meanwhile } = scenario;
  const { openingMs = 20, groups = 1 } = scenario;
  const timeOf = (): TimeOf =>
    meanwhile !== undefined && time.now() >= meanwhile.fromMs && time.now() < meanwhile.toMs
      ? meanwhile.timeOf
      : scenario.timeOf;
  const random = seeded(7);
  const acceptedAt: number[] = [];
  let [busy, open, mails] = [0, 0, 0];
  const shared = createSharedWork(timeOf);
  const work = async (): Promise<void> => {
    mails += 1;
    if (slow !== undefined && mails % slow.each === 0) return sleep(slow.ms);
    const amount = isNoisy ? -Math.log(random()) : 1;
    if (decides === "always") return shared(amount);
    return sleep(amount * timeOf()(counts === "busy" ? busy : open));
  };
  const openSession = async (): Promise<MailSession> => {
    open += 1;
    await sleep(openingMs);
    const session = {
      isUsable: true,
      sends: 0,
      idleSince: 0,
      async send(mail: OutgoingMail): Promise<SendResult> {
        session.sends += 1;
        await sleep(TRIP_MS);
        mail.beforeBody();
        busy += 1;
        await work();
        busy -= 1;
        await sleep(TRIP_MS);
        acceptedAt.push(time.now());
        return { kind: "accepted", reply: "250 2.0.0 ok" };
      },
      async quit() {
        if (session.isUsable) open -= 1;
        session.isUsable = false;
        await sleep(TRIP_MS);
      },
    };
    return session;
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const table = aTable();
  const server = { host: "mail.example", port: 25, tls: "none" } as const;
  const granted: number[][] = [];
  startsMs.forEach((startMs, index) => {
    const seen: number[] = [];
    granted.push(seen);
    setTimeout(() => {
      const pool = createSmtpPool({ server, size, sendDeadlineMs: 3_000_000, openSession });
      const group = `group ${index % groups}`;
      startSharing({ table, group, log: silentLog, signal }, { pool: `pool ${index}`, places: pool.places });
      void consume(pool, { size, claimMs: CLAIM_MS, signal, onFailed: () => {} });
      setInterval(() => seen.push(pool.granted()), 1_000);
    }, startMs);
  });
  await time.pass(runMs, () => false);
  stopping.abort();
  return { acceptedAt, granted };
};
