import { describe, expect, jest, test } from "bun:test";
import { capacityOf, mailsInFlight } from "../open-pool.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { createSmtpPool, type SmtpPool } from "./pool.ts";
import { type MailSession, SessionRefused } from "./session.ts";

/**
 * Pools against a mail server that grants few connections, in virtual time: minutes of many limits take a second. What is real is
 * the pool with its policy; connections, the engine around it and the time are simulated.
 */
interface Scenario {
  /** Connections that the server grants, all consumers together; a second one: by turns, each for `everyMs`. */
  readonly limits: readonly [number, number?];
  readonly everyMs?: number;
  readonly consumers: number;
  readonly mailMs: number;
  readonly size?: number;
  /** Round trip, and until the server greets. */
  readonly tripMs?: number;
  readonly greetingMs?: number;
  /** One too many is refused its first mail, not the connection. */
  readonly atMailFrom?: boolean;
  /** Each so many-th connection is not greeted, and not counted. */
  readonly silentEach?: number;
  /** From a mail's end to the first command of the next: recording, reading, claiming, building. */
  readonly claimMs?: number;
}

interface Outcome {
  /** Of what the server could take. */
  readonly share: number;
  /** Connections that were refused, a second and consumer. */
  readonly refusedPerSecond: number;
  /** Mails that failed otherwise than by being released. */
  readonly failed: number;
}

const RUN_MS = 30_000;
/** Not counted: until each consumer has its share. */
const WARM_UP_MS = 5_000;
/** From a mail's end to the first command of the next, on a machine that is not busy. */
const CLAIM_MS = 40;
/** How often the reader looks whether there is room again. */
const LOOK_MS = 100;

const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

const tooMany = () =>
  new SessionRefused(
    Object.assign(new Error("refused"), {
      code: "EPROTOCOL",
      command: "CONN",
      responseCode: 421,
      response: "421 4.7.0 too many connections",
    }),
  );

const refusedSend = (): SendResult => ({
  kind: "failed",
  failure: {
    code: "EENVELOPE",
    command: "MAIL FROM",
    reply: "421 4.7.0 too many connections",
    responseCode: 421,
    cause: undefined,
    bodyStarted: false,
  },
});

/** A server that counts connections; those beyond a limit that has fallen are refused their next mail. */
const aServer = ({ limits: [first], mailMs, tripMs = 1, greetingMs = 100, ...more }: Scenario) => {
  const { atMailFrom = false, silentEach = Number.POSITIVE_INFINITY } = more;
  let connections = 0;
  const granted = new Set<object>();
  const surplus = new Set<object>();
  let limit = first;
  const counts = { accepted: 0, refused: 0 };
  const open = async (_server: unknown, _timeoutMs: number, signal: AbortSignal): Promise<MailSession> => {
    await sleep(tripMs, signal);
    const own = {};
    connections += 1;
    if (connections % silentEach === 0) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw new SessionRefused(
        Object.assign(new Error("cut"), { code: "ECALLEDBACK", timeoutType: "GREETING_TIMEOUT" }),
      );
    }
    if (granted.size >= limit) {
      if (!atMailFrom) {
        await sleep(greetingMs, signal);
        counts.refused += 1;
        throw tooMany();
      }
      surplus.add(own);
    } else granted.add(own);
    await sleep(greetingMs + 2 * tripMs, signal);
    const end = () => {
      session.isUsable = false;
      granted.delete(own);
    };
    const session = {
      isUsable: true,
      sends: 0,
      idleSince: 0,
      async send(mail: OutgoingMail): Promise<SendResult> {
        session.sends += 1;
        await sleep(tripMs);
        if (surplus.has(own)) {
          counts.refused += 1;
          end();
          return refusedSend();
        }
        mail.beforeBody();
        await sleep(tripMs + mailMs);
        counts.accepted += 1;
        return { kind: "accepted", reply: "250 2.0.0 ok" };
      },
      async quit() {
        session.isUsable = false;
        await sleep(tripMs);
        end();
        await sleep(tripMs);
      },
    };
    return session;
  };
  return {
    open,
    counts,
    setLimit: (next: number) => {
      limit = next;
      for (const each of [...granted].slice(next)) surplus.add(each);
    },
  };
};

/** A consumer with an endless backlog: as many mails in flight as its capacity allows, as the engine does. */
const consume = async (
  pool: SmtpPool,
  options: {
    readonly size: number;
    readonly claimMs: number;
    readonly signal: AbortSignal;
    readonly onFailed: () => void;
  },
): Promise<void> => {
  const { size, claimMs, signal, onFailed } = options;
  const capacity = capacityOf(pool, size);
  const most = mailsInFlight(size);
  let inFlight = 0;
  let { promise: ended, resolve: wake } = Promise.withResolvers<void>();
  const send = async () => {
    const mail = { from: "a@b.example", to: "c@d.example", raw: Buffer.alloc(0), beforeBody: () => true };
    const result = await pool.send(mail, signal);
    if (result.kind === "failed" && result.failure.code !== "EBUSY" && !signal.aborted) onFailed();
    inFlight -= 1;
    wake();
    ({ promise: ended, resolve: wake } = Promise.withResolvers<void>());
  };
  while (!signal.aborted) {
    const room = Math.min(most, capacity.allowed()) - inFlight;
    if (room <= 0) {
      await Promise.race([sleep(LOOK_MS), ended]);
      continue;
    }
    await sleep(claimMs);
    for (let count = 0; count < room; count += 1) {
      inFlight += 1;
      void send();
    }
  }
};

/** Lets promises run until nothing but time moves them. */
const settle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

const simulate = async (scenario: Scenario): Promise<Outcome> => {
  jest.useFakeTimers();
  try {
    const { limits, everyMs = RUN_MS, consumers, mailMs, size = 20, tripMs = 1, claimMs = CLAIM_MS } = scenario;
    const [first, second = first] = limits;
    const server = aServer(scenario);
    const stopping = new AbortController();
    const openSession = server.open;
    let failed = 0;
    const onFailed = () => {
      failed += 1;
    };
    for (let index = 0; index < consumers; index += 1) {
      const target = { host: "mail.example", port: 25, tls: "none" } as const;
      const pool = createSmtpPool({ server: target, size, sendDeadlineMs: 30_000, openSession });
      void consume(pool, { size, claimMs, signal: stopping.signal, onFailed });
    }
    let possible = 0;
    let before = { accepted: 0, refused: 0 };
    let limit = first;
    for (let ms = 0; ms < WARM_UP_MS + RUN_MS; ms += 1) {
      if (ms === WARM_UP_MS) before = { ...server.counts };
      const turned = Math.floor(Math.max(0, ms - WARM_UP_MS) / everyMs) % 2 === 0 ? first : second;
      if (turned !== limit) server.setLimit(turned);
      limit = turned;
      if (ms >= WARM_UP_MS) possible += Math.min(limit, consumers * size) / (mailMs + 2 * tripMs);
      jest.advanceTimersByTime(1);
      await settle();
    }
    stopping.abort();
    return {
      share: (server.counts.accepted - before.accepted) / possible,
      refusedPerSecond: (server.counts.refused - before.refused) / (RUN_MS / 1_000) / consumers,
      failed,
    };
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

describe("of what a server with a limit can take, pools send", () => {
  test.each<Scenario>([
    { limits: [1], consumers: 1, mailMs: 100 },
    { limits: [1], consumers: 4, mailMs: 100 },
    { limits: [1], consumers: 4, mailMs: 500 },
    { limits: [2], consumers: 3, mailMs: 100 },
    { limits: [7], consumers: 4, mailMs: 50 },
    { limits: [10], consumers: 2, mailMs: 100, atMailFrom: true },
    { limits: [50], consumers: 2, mailMs: 500, tripMs: 50 },
    { limits: [200], consumers: 4, mailMs: 1_000, size: 100 },
  ])("all but a twentieth, and ask for few connections beyond: %j", async (scenario) => {
    const { share, refusedPerSecond, failed } = await simulate(scenario);
    expect(share).toBeGreaterThan(0.95);
    expect(refusedPerSecond).toBeLessThan(3);
    expect(failed).toBe(0);
  });

  test.each<Scenario>([
    { limits: [10], consumers: 1, mailMs: 100, claimMs: 150 },
    { limits: [3], consumers: 4, mailMs: 300, claimMs: 350 },
    { limits: [10], consumers: 4, mailMs: 100, claimMs: 250 },
    { limits: [5], consumers: 2, mailMs: 20, claimMs: 80 },
  ])("all but a tenth where recording and claiming take long: %j", async (scenario) => {
    const { share, failed } = await simulate(scenario);
    expect(share).toBeGreaterThan(0.9);
    expect(failed).toBe(0);
  });

  test("all but a twentieth where it greets after six seconds", async () => {
    const { share, failed } = await simulate({ limits: [20], consumers: 1, mailMs: 100, greetingMs: 6_000 });
    expect(share).toBeGreaterThan(0.93);
    expect(failed).toBe(0);
  });

  test("four fifths where it does not greet every second connection: that is no limit", async () => {
    const { share, failed } = await simulate({ limits: [100], consumers: 1, mailMs: 100, silentEach: 2 });
    expect(share).toBeGreaterThan(0.8);
    expect(failed).toBe(0);
  });

  test.each<[number, Scenario]>([
    [0.8, { limits: [10, 30], everyMs: 1_000, consumers: 2, mailMs: 200 }],
    [0.87, { limits: [10, 30], everyMs: 2_700, consumers: 2, mailMs: 200 }],
    [0.89, { limits: [10, 30], everyMs: 2_700, consumers: 2, mailMs: 200, atMailFrom: true }],
    [0.84, { limits: [1, 9], everyMs: 2_700, consumers: 3, mailMs: 100 }],
    [0.9, { limits: [10, 30], everyMs: 5_000, consumers: 2, mailMs: 200 }],
    [0.95, { limits: [4, 16], everyMs: 10_000, consumers: 2, mailMs: 500 }],
  ])("%d although the limit changes: %j", async (least, scenario) => {
    const { share, refusedPerSecond, failed } = await simulate(scenario);
    expect(share).toBeGreaterThan(least);
    expect(refusedPerSecond).toBeLessThan(12);
    expect(failed).toBe(0);
  });
});
