import { expect, test } from "bun:test";
import { Breaker } from "../../engine/breaker.ts";
import { learnFrom } from "../../engine/learn.ts";
import { Parties } from "../../engine/parties.ts";
import { classify } from "../classify.ts";
import { capacityOf } from "../open-pool.ts";
import { aLimitedServer, type Guard } from "./limited-server-for-tests.ts";
import type { SendResult } from "./outgoing-mail.ts";
import type { SmtpPool } from "./pool.ts";
import { type MailSession, SessionRefused } from "./session.ts";
import { shareInVirtualTime } from "./sharing-for-tests.ts";

const SIZE = 20;
const domain = "inbox.example";

/** A consumer's breaker, which learns from its mails as the engine does. */
const aGuard = (pool: SmtpPool): Guard & { readonly breaker: Breaker; readonly opened: () => number } => {
  const capacity = capacityOf(pool, SIZE);
  const clock = { now: () => performance.now(), random: () => 0.5 };
  let opened = 0;
  const breaker = new Breaker({
    ...clock,
    concurrency: 2 * SIZE,
    capacity: capacity.allowed,
    isFull: () => capacity.isFull?.() === true,
    onChange: (state) => {
      if (state === "open") opened += 1;
    },
  });
  const parties = new Parties({ ...clock, onChange: () => {} });
  let events = 0;
  return {
    breaker,
    opened: () => opened,
    allowed: () => {
      breaker.closeIfFull();
      return breaker.allowance();
    },
    learn: (result: SendResult) => {
      events += 1;
      const at = performance.now();
      const outcome =
        result.kind === "accepted"
          ? ({ kind: "done" } as const)
          : classify(result.failure, { greylistMs: 60_000, recipient: `ana@${domain}`, domain });
      const claim = { attempts: 0, systemFailures: 0, lastReason: null, unchangedMs: 0 };
      const times = { startedAt: at, askedAt: at, acceptedSince: breaker.acceptedSince };
      const isProbe = breaker.state !== "closed";
      const attempted = { eventId: `event ${events}`, party: domain, claim, isProbe, ...times };
      learnFrom(outcome, attempted, { breaker, parties, holdMs: () => 0 });
    },
  };
};

/** Refuses by TCP, and ends what is open. */
const thatIsAway = (isAway: () => boolean, open: ReturnType<typeof aLimitedServer>["open"]) => {
  const lost = { reply: undefined, responseCode: undefined, cause: "ECONNRESET", bodyStarted: false };
  return async (server: unknown, timeoutMs: number, signal: AbortSignal): Promise<MailSession> => {
    if (isAway()) {
      throw new SessionRefused(
        Object.assign(new Error("connect ECONNREFUSED"), {
          code: "ESOCKET",
          syscall: "connect",
          errno: "ECONNREFUSED",
        }),
      );
    }
    const session = await open(server, timeoutMs, signal);
    const send = session.send.bind(session);
    session.send = async (...asked) => {
      if (!isAway()) return send(...asked);
      await session.quit();
      return { kind: "failed", failure: { code: "ECONNECTION", command: "MAIL FROM", ...lost } };
    };
    return session;
  };
};

test.each(["closed", "421"] as const)(
  "a consumer beyond the limit closes its breaker after an outage, because others send, and opens it in the next one: %s",
  (refusal) =>
    shareInVirtualTime(async ({ ms, start, until }) => {
      const server = aLimitedServer({ limit: 3, mailMs: 100, refusal });
      const outages = [
        [20_000, 30_000],
        [90_000, 100_000],
      ] as const;
      const openSession = thatIsAway(() => outages.some(([from, to]) => ms() >= from && ms() < to), server.open);
      const guards: ReturnType<typeof aGuard>[] = [];
      const guardOf = (pool: SmtpPool) => {
        const guard = aGuard(pool);
        guards.push(guard);
        return guard;
      };
      let accepted = 0;
      const onAccepted = () => {
        accepted += 1;
      };
      for (let consumer = 0; consumer < 12; consumer += 1)
        start({ group: `group-${consumer % 3}`, size: SIZE, openSession, guardOf, onAccepted });
      for (const [from, to] of outages) {
        await until(from);
        const before = guards.map(({ opened }) => opened());
        await until(to);
        const open = guards.filter(({ breaker }) => breaker.state === "open");
        expect(guards.filter(({ opened }, index) => opened() > (before[index] ?? 0)).length).toBe(guards.length);
        expect(open.length).toBe(guards.length);
        await until(to + 10_000);
        const sent = accepted;
        await until(to + 55_000);
        expect(guards.filter(({ breaker }) => breaker.state === "open").length).toBe(0);
        expect((accepted - sent) / ((3 * 45_000) / 102)).toBeGreaterThan(0.9);
      }
    }),
);

test("the breaker of a group that alone cannot reach the server stays open", () =>
  shareInVirtualTime(async ({ ms, start, until }) => {
    const server = aLimitedServer({ limit: 3, mailMs: 100, refusal: "closed" });
    start({ group: "group-0", size: SIZE, openSession: server.open });
    const guards: ReturnType<typeof aGuard>[] = [];
    const guardOf = (pool: SmtpPool) => {
      const guard = aGuard(pool);
      guards.push(guard);
      return guard;
    };
    start({ group: "group-1", size: SIZE, openSession: thatIsAway(() => ms() > 0, server.open), guardOf });
    await until(90_000);
    expect(guards[0]?.breaker.state).toBe("open");
    await until(200_000);
    expect(guards.map(({ opened, breaker }) => [opened(), breaker.state])).toEqual([[1, "open"]]);
  }));
