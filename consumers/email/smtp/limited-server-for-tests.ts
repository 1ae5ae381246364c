import type { Answer, PoolShare, Share } from "../../../stream/scripts/share.ts";
import type { LeadTable } from "../../engine/leading.ts";
import type { SharedTable } from "../../engine/sharing.ts";
import { capacityOf, mailsInFlight } from "../open-pool.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import type { SmtpPool } from "./pool.ts";
import { type MailSession, SessionRefused } from "./session.ts";

/** A simulated mail server, in virtual time. */
export interface ServerScenario {
  /** Connections that it grants at first. */
  readonly limit: number;
  readonly mailMs: number;
  /** Round trip, and until the server greets. */
  readonly tripMs?: number;
  readonly greetingMs?: number;
  /** One too many is refused its first mail, not the connection. */
  readonly atMailFrom?: boolean;
  /** How it is; the connection stays open, unless it is by a 421. */
  readonly replyAtMailFrom?: string;
  /** It is refused at this command instead. */
  readonly at?: "RCPT TO" | "DATA";
  /** How one too many is refused: by a reply, by closing it without one, or by no greeting until it is given up. */
  readonly refusal?: "421" | "closed" | "silent";
  /** It closes a connection after so many mails. */
  readonly mailsPerConnection?: number;
  /** Connections that may be asked for in any minute: each question counts, also one that is refused. */
  readonly perMinute?: number;
  /** It counts a connection for so long after it was closed. */
  readonly countedMs?: number;
  /** Each so many-th connection is not greeted, and not counted. */
  readonly silentEach?: number;
}

/** How often the reader looks whether there is room again. */
const LOOK_MS = 100;
/** What a pool waits for a greeting, at most. */
const SILENT_MS = 30_000;

export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

const tooMany = (refusal: "421" | "closed" | "silent") =>
  refusal === "closed"
    ? new SessionRefused(Object.assign(new Error("Connection closed"), { code: "ECONNECTION", command: "CONN" }))
    : new SessionRefused(
        Object.assign(new Error("refused"), {
          code: "EPROTOCOL",
          command: "CONN",
          responseCode: 421,
          response: "421 4.7.0 too many connections",
        }),
      );

const refusedSend = (reply: string, command: string): SendResult => ({
  kind: "failed",
  failure: {
    code: "EENVELOPE",
    command,
    reply,
    responseCode: Number(reply.slice(0, 3)),
    cause: undefined,
    bodyStarted: false,
  },
});

/** A server that counts connections; those beyond a limit that has fallen are refused their next mail. */
export const aLimitedServer = ({ limit: first, mailMs, tripMs = 1, greetingMs = 100, ...more }: ServerScenario) => {
  const { countedMs = 0 } = more;
  const { atMailFrom = false, refusal = "421", silentEach = Number.POSITIVE_INFINITY } = more;
  const { replyAtMailFrom = "421 4.7.0 too many connections", at = "MAIL FROM" } = more;
  const { mailsPerConnection = Number.POSITIVE_INFINITY, perMinute = Number.POSITIVE_INFINITY } = more;
  let askedAt: readonly number[] = [];
  let connections = 0;
  const granted = new Set<object>();
  let silent = 0;
  let most = 0;
  const surplus = new Set<object>();
  let limit = first;
  const counts = { accepted: 0, refused: 0 };
  const open = async (_server: unknown, _timeoutMs: number, signal: AbortSignal): Promise<MailSession> => {
    await sleep(tripMs, signal);
    const own = {};
    connections += 1;
    const isSilent = refusal === "silent" && granted.size >= limit;
    if (isSilent || connections % silentEach === 0) {
      silent += 1;
      await Promise.race([sleep(SILENT_MS), new Promise((resolve) => signal.addEventListener("abort", resolve))]);
      silent -= 1;
      const code = signal.aborted ? "ECALLEDBACK" : "ETIMEDOUT";
      throw new SessionRefused(Object.assign(new Error("cut"), { code, timeoutType: "GREETING_TIMEOUT" }));
    }
    if (Number.isFinite(perMinute)) {
      askedAt = [...askedAt.filter((at) => at > performance.now() - 60_000), performance.now()];
    }
    if (granted.size >= limit || askedAt.length > perMinute) {
      if (!atMailFrom) {
        await sleep(greetingMs, signal);
        counts.refused += 1;
        throw tooMany(refusal);
      }
      surplus.add(own);
    } else granted.add(own);
    most = Math.max(most, granted.size + silent);
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
        if (surplus.has(own) && (replyAtMailFrom.startsWith("421") || granted.size >= limit)) {
          counts.refused += 1;
          if (replyAtMailFrom.startsWith("421")) end();
          return refusedSend(replyAtMailFrom, at);
        }
        if (surplus.delete(own)) granted.add(own);
        mail.beforeBody();
        await sleep(tripMs + mailMs);
        counts.accepted += 1;
        if (session.sends >= mailsPerConnection) end();
        return { kind: "accepted", reply: "250 2.0.0 ok" };
      },
      async quit() {
        session.isUsable = false;
        await sleep(tripMs);
        if (countedMs === 0) end();
        else setTimeout(end, countedMs);
        await sleep(tripMs);
      },
    };
    return session;
  };
  return {
    open,
    counts,
    /** Most connections at a time, also those that were not greeted. */
    mostConnections: () => most,
    setLimit: (next: number) => {
      limit = next;
      for (const each of [...granted].slice(next)) surplus.add(each);
    },
  };
};

const REPORT_MS = 5_000;
const REQUEST_MS = 2_000;
const LOOK_EVERY_MS = 250;
const LOOK_FOR_NEW_MS = 100;

/** What Redis keeps, in simulated time. */
export const aTable = (): SharedTable => {
  const reports = new Map<string, Share & { readonly saidAt: number }>();
  const asked = new Map<string, { readonly since: number; readonly at: number }>();
  let gives: readonly Answer[] = [];
  let looked = { at: Number.NEGATIVE_INFINITY, groups: 0, asking: 0 };
  const askedAtOf = (pool: string): number | undefined => {
    const { since, at = Number.NEGATIVE_INFINITY } = asked.get(pool) ?? {};
    return performance.now() - at <= REQUEST_MS ? since : undefined;
  };
  const others = (own: string): number =>
    [...reports.values()].reduce((sum, { pool, has }) => sum + (pool === own ? 0 : has), 0);
  const look = (): readonly PoolShare[] => {
    const at = performance.now();
    for (const { pool, saidAt } of reports.values()) if (at - saidAt > REPORT_MS) reports.delete(pool);
    for (const [pool, request] of asked) if (at - request.at > REQUEST_MS) asked.delete(pool);
    const all = [...reports.values()].map(({ saidAt: _, ...share }) => ({ ...share, askedAt: askedAtOf(share.pool) }));
    const asking = all.filter(({ askedAt }) => askedAt !== undefined).length;
    looked = { at, groups: new Set(all.map(({ group }) => group)).size, asking };
    gives = [];
    return all;
  };
  return {
    say: async ({ request, withoutSince, ...own }) => {
      const { pool } = own;
      const at = performance.now();
      const isNew = !reports.has(pool);
      const isNext = (reports.get(pool)?.has ?? 0) > 0 && own.has === 0;
      reports.set(pool, { ...own, saidAt: at });
      const isAnswered = request === "repeated" && !asked.has(pool);
      if (isNext) asked.delete(pool);
      if (request !== "none" && !isAnswered) asked.set(pool, { since: withoutSince ?? askedAtOf(pool) ?? at, at });
      const answer = gives.find(({ giver, had }) => giver === pool && own.has >= had)?.asker;
      const asker = answer !== undefined && askedAtOf(answer) !== undefined ? answer : undefined;
      const all = at - looked.at >= (isNew ? LOOK_FOR_NEW_MS : LOOK_EVERY_MS) ? look() : undefined;
      const { asking } = looked;
      const groups = looked.groups + (isNew && all === undefined ? 1 : 0);
      const heard = { isAnswered, askedAt: askedAtOf(pool), othersHave: others(pool), groups, asking };
      if (all === undefined) return { ...heard, asker, all };
      return { ...heard, asker: undefined, all: asking === 0 ? undefined : all };
    },
    assign: async (answers) => {
      gives = answers;
    },
    answer: async (pool) => void asked.delete(pool),
    leave: async (pool) => void reports.delete(pool),
  };
};

/** Who leads, as Redis keeps it, in simulated time. */
export const aLead = (): LeadTable => {
  let leader = { pool: "", until: Number.NEGATIVE_INFINITY };
  const said = new Map<string, { readonly at: number; readonly perSecond: number }>();
  return {
    say: async (pool, { wish, perSecond }) => {
      const now = performance.now();
      if (wish === "none") said.delete(pool);
      else said.set(pool, { at: now, perSecond });
      let othersPerSecond = 0;
      for (const [other, report] of said)
        if (other !== pool && now - report.at < 5_000) othersPerSecond += report.perSecond;
      if (leader.until <= now) leader = { pool: "", until: now };
      const isOurs = leader.until > now && leader.pool === pool;
      const isFree = leader.until <= now;
      if (isOurs && wish === "in vain") leader = { pool: "", until: now + 600_000 };
      else if (isOurs && wish !== "one") leader = { pool: "", until: now };
      else if (wish === "one" && (isOurs || (isFree && said.size > 1))) leader = { pool, until: now + 5_000 };
      if (leader.until <= now || leader.pool === "") return { leader: "nobody", othersPerSecond };
      return { leader: leader.pool === pool ? "this" : "another", othersPerSecond };
    },
  };
};

/** What decides how much a consumer has in flight, as its breaker does. */
export interface Guard {
  allowed(): number;
  learn(result: SendResult): void;
}

/** A consumer with an endless backlog: as many mails in flight as its capacity allows, as the engine does. */
export const consume = async (
  pool: SmtpPool,
  options: {
    readonly size: number;
    readonly claimMs: number;
    readonly signal: AbortSignal;
    readonly onFailed: () => void;
    readonly onAccepted?: () => void;
    readonly guard?: Guard;
    /** The next mail's recipient. */
    readonly to?: () => string;
  },
): Promise<void> => {
  const { size, claimMs, signal, onFailed, onAccepted, to = () => "c@d.example" } = options;
  const { guard = { allowed: capacityOf(pool, size).allowed, learn: () => {} } } = options;
  const most = mailsInFlight(size);
  let inFlight = 0;
  let { promise: ended, resolve: wake } = Promise.withResolvers<void>();
  const send = async () => {
    const mail = { from: "a@b.example", to: to(), raw: Buffer.alloc(0), beforeBody: () => true };
    const result = await pool.send(mail, signal);
    if (result.kind === "failed" && result.failure.code !== "EBUSY" && !signal.aborted) onFailed();
    if (result.kind === "accepted") onAccepted?.();
    guard.learn(result);
    inFlight -= 1;
    wake();
    ({ promise: ended, resolve: wake } = Promise.withResolvers<void>());
  };
  while (!signal.aborted) {
    const room = Math.min(most, guard.allowed()) - inFlight;
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
export const settle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};
