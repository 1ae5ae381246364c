import { jest } from "bun:test";
import { silentLog } from "../../../tests/pipeline.ts";
import { startLeading } from "../../engine/leading.ts";
import { startSharing } from "../../engine/sharing.ts";
import { aLead, aTable, consume, settle, sleep } from "./limited-server-for-tests.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";
import { type MailSession, SessionRefused } from "./session.ts";

/** A limit in time: whether it grants one more now. `ms` is virtual. */
export type Rate = (ms: number) => boolean;

/** So many a second, and so many at once; `perSecond` may change with time. Where it is strict, one that is refused counts as well. */
export const bucket = (perSecond: number | ((ms: number) => number), burst: number, isStrict = false): Rate => {
  const rateAt = typeof perSecond === "number" ? () => perSecond : perSecond;
  let tokens = burst;
  let at = 0;
  return (ms) => {
    tokens = Math.min(burst, tokens + ((ms - at) / 1_000) * rateAt(ms));
    at = ms;
    const isGranted = tokens > 1 - 1e-9;
    if (isGranted || isStrict) tokens = Math.max(-burst, tokens - 1);
    return isGranted;
  };
};

/** So many from one full minute, for example, to the next. */
export const fixedWindow = (most: number, windowMs: number): Rate => {
  let window = -1;
  let count = 0;
  return (ms) => {
    if (Math.floor(ms / windowMs) !== window) count = 0;
    window = Math.floor(ms / windowMs);
    count += 1;
    return count <= most;
  };
};

/** So many in any minute, for example. */
export const slidingWindow = (most: number, windowMs: number, isStrict = false): Rate => {
  let asked: number[] = [];
  return (ms) => {
    const first = asked.findIndex((at) => at > ms - windowMs);
    asked = first < 0 ? [] : first > 0 ? asked.slice(first) : asked;
    const isGranted = asked.length < most;
    if (isGranted || isStrict) asked.push(ms);
    return isGranted;
  };
};

/** A share is refused, whatever the pace: another customer's limit on a node of many. */
export const randomly = (share: number): Rate => {
  let seed = 12_345;
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648 >= share;
  };
};

export interface RatedScenario {
  readonly rate: () => Rate;
  /** Mails that the server grants from one time to another, in ms. */
  readonly grants: (from: number, to: number) => number;
  /** Where it is asked. */
  readonly phase?: "CONN" | "MAIL FROM" | "RCPT TO" | "DATA";
  readonly reply?: string;
  /** A connection too many is not answered, as by a firewall. */
  readonly isSilent?: boolean;
  /** It closes a connection after so many mails. */
  readonly mailsPerConnection?: number;
  /** It does not close it, but refuses the next mail in these words; if they begin with 421, it closes it then. */
  readonly spentReply?: string;
  readonly consumers?: number;
  /** Each consumer has a rate of its own, as where it is kept for each address that mails come from. */
  readonly isOfEach?: boolean;
  readonly size?: number;
  readonly mailMs?: number;
  /** Of so many mails one is for a recipient that is welcome, the others are refused at RCPT, for reasons of their own. */
  readonly welcomeEach?: number;
  /** Asks as well, every so many ms. */
  readonly strangerEachMs?: number;
  readonly warmUpMs?: number;
  readonly runMs: number;
}

export interface RatedOutcome {
  /** Of what the server grants. */
  readonly share: number;
  /** Of all mails, or connections, that it was asked for. */
  readonly refused: number;
  readonly longestGapMs: number;
  readonly refusedPerSecond: number;
  readonly accepted: number;
  readonly ofEach: readonly number[];
}

const TRIP_MS = 1;
const GREETING_MS = 20;
const CLAIM_MS = 40;
const DOMAINS = 50;

/** Pools against a server with a limit in time. */
export const simulateRate = async (scenario: RatedScenario): Promise<RatedOutcome> => {
  const { phase = "MAIL FROM", reply = "450 4.7.1 rate limit exceeded", consumers = 2, size = 20 } = scenario;
  const {
    welcomeEach = 1,
    mailMs = 100,
    mailsPerConnection = Number.POSITIVE_INFINITY,
    warmUpMs = 0,
    runMs,
    strangerEachMs,
    isSilent = false,
    spentReply,
  } = scenario;
  jest.useFakeTimers();
  try {
    const startedAt = performance.now();
    const ms = () => performance.now() - startedAt;
    const all = scenario.rate();
    const counts = { accepted: 0, refused: 0, of: Array.from({ length: consumers }, () => 0), gapMs: 0, lastAt: 0 };
    const isCounted = () => ms() >= warmUpMs && ms() < warmUpMs + runMs;
    const responseCode = Number(reply.slice(0, 3));
    const isGranted = (rate: Rate) => {
      const is = rate(ms());
      if (!is && isCounted()) counts.refused += 1;
      return is;
    };
    const failed = (command: string, bodyStarted: boolean, words = reply): SendResult => ({
      kind: "failed",
      failure: {
        ...{ code: "EENVELOPE", command, reply: words, responseCode: Number(words.slice(0, 3)) },
        ...{ cause: undefined, bodyStarted },
      },
    });
    const openSessionOf =
      (rate: Rate) =>
      async (_server: unknown, _timeoutMs: number, cut: AbortSignal): Promise<MailSession> => {
        await sleep(TRIP_MS);
        if (phase === "CONN" && !isGranted(rate)) {
          if (isSilent) {
            await new Promise((resolve) => cut.addEventListener("abort", resolve));
            throw new SessionRefused(Object.assign(new Error("cut"), { code: "ECALLEDBACK" }));
          }
          await sleep(TRIP_MS);
          const error = { code: "EPROTOCOL", command: "CONN", responseCode, response: reply };
          throw new SessionRefused(Object.assign(new Error("refused"), error));
        }
        await sleep(GREETING_MS + TRIP_MS);
        const end = () => {
          session.isUsable = false;
        };
        const asked = (command: typeof phase): boolean => phase !== command || isGranted(rate);
        const refused = (command: typeof phase): SendResult => {
          if (responseCode === 421) end();
          return failed(command, command === "DATA");
        };
        const session = {
          isUsable: true,
          sends: 0,
          idleSince: 0,
          async send(mail: OutgoingMail): Promise<SendResult> {
            session.sends += 1;
            await sleep(TRIP_MS);
            if (spentReply !== undefined && session.sends > mailsPerConnection) {
              if (spentReply.startsWith("421")) end();
              return failed("MAIL FROM", false, spentReply);
            }
            if (!asked("MAIL FROM")) return refused("MAIL FROM");
            if (!asked("RCPT TO")) return refused("RCPT TO");
            if (mail.to.startsWith("nobody@")) return failed("RCPT TO", false, "450 4.2.0 try again later");
            mail.beforeBody();
            await sleep(TRIP_MS + mailMs);
            if (!asked("DATA")) return refused("DATA");
            if (spentReply === undefined && session.sends >= mailsPerConnection) end();
            return { kind: "accepted", reply: "250 2.0.0 ok" };
          },
          async quit() {
            end();
            await sleep(TRIP_MS);
          },
        };
        return session;
      };
    const stopping = new AbortController();
    const { signal } = stopping;
    const table = aTable();
    const lead = aLead();
    const server = { host: "mail.example", port: 25, tls: "none" } as const;
    let mails = 0;
    const to = () => {
      mails += 1;
      return `${mails % welcomeEach === 0 ? "c" : "nobody"}@d${mails % DOMAINS}.example`;
    };
    counts.of.forEach((_, index) => {
      const openSession = openSessionOf(scenario.isOfEach === true ? scenario.rate() : all);
      const pool = createSmtpPool({ server, size, sendDeadlineMs: 30_000, openSession });
      startLeading(
        { table: lead, group: "group", log: silentLog, signal },
        { consumer: `pool ${index}`, lead: pool.lead },
      );
      startSharing({ table, group: "group", log: silentLog, signal }, { pool: `pool ${index}`, places: pool.places });
      const onAccepted = () => {
        if (!isCounted()) return;
        counts.accepted += 1;
        counts.of[index] = (counts.of[index] ?? 0) + 1;
        counts.gapMs = Math.max(counts.gapMs, ms() - Math.max(warmUpMs, counts.lastAt));
        counts.lastAt = ms();
      };
      void consume(pool, { size, claimMs: CLAIM_MS, signal, to, onFailed: () => {}, onAccepted });
    });
    const stranger = strangerEachMs === undefined ? undefined : setInterval(() => all(ms()), strangerEachMs);
    const end = setTimeout(() => {}, warmUpMs + runMs);
    while (ms() < warmUpMs + runMs) {
      jest.advanceTimersToNextTimer();
      await settle();
    }
    clearTimeout(end);
    clearInterval(stranger);
    stopping.abort();
    const { accepted, refused, of } = counts;
    return {
      share: accepted / scenario.grants(warmUpMs, warmUpMs + runMs),
      refused: refused / Math.max(1, accepted + refused),
      longestGapMs: Math.max(counts.gapMs, warmUpMs + runMs - Math.max(warmUpMs, counts.lastAt)),
      refusedPerSecond: (refused * 1_000) / runMs,
      accepted,
      ofEach: of,
    };
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};
