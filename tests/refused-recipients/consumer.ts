import { z } from "zod";
import { capacityOf, mailsInFlight } from "../../consumers/email/open-pool.ts";
import { sendMail } from "../../consumers/email/send.ts";
import { createSmtpPool } from "../../consumers/email/smtp/pool.ts";
import type { OpenSession } from "../../consumers/email/smtp/session.ts";
import { createAttempts } from "../../consumers/engine/attempt.ts";
import { Breaker } from "../../consumers/engine/breaker.ts";
import { createChoose, type PreparedEntry } from "../../consumers/engine/choose.ts";
import { Doubt } from "../../consumers/engine/doubt.ts";
import { createGatherer } from "../../consumers/engine/gather.ts";
import type { Policy } from "../../consumers/engine/handler.ts";
import { createInFlight } from "../../consumers/engine/in-flight.ts";
import { createLookAhead } from "../../consumers/engine/look-ahead.ts";
import { Parties } from "../../consumers/engine/parties.ts";
import { behindAfter, sharesOf } from "../../consumers/engine/shares.ts";
import { createWorkSlots } from "../../consumers/engine/work-slots.ts";
import { createLogger } from "../../observability/logger.ts";
import { pause } from "../../runtime/loop.ts";
import type { Entry } from "../../stream/entries.ts";
import { STORE_MS, simulatedSettler, unused } from "./settler.ts";
import type { Piece, SimulatedStreams } from "./streams.ts";

/**
 * A consumer of mails as it is shipped, without stores: its parts that choose and learn are those of the engine, what reads, claims
 * and settles (`reader.ts`, `read-streams.ts`, `dispatcher.ts`) is told anew in short.
 */
export const startSimulatedConsumer = (
  streams: SimulatedStreams,
  openSession: OpenSession,
  given: {
    readonly connections: number;
    readonly retryMax: number;
    readonly retryDelayMs: number;
    readonly random: () => number;
  },
) => {
  const { connections, random, ...policyOf } = given;
  const most = mailsInFlight(connections);
  const now = () => performance.now();
  const log = createLogger({ level: "silent", service: "simulated" });
  const server = { host: "127.0.0.1", port: 0, tls: "none" } as const;
  const pool = createSmtpPool({ server, size: connections, sendDeadlineMs: 30_000, openSession });
  const capacity = capacityOf(pool, connections);
  const inFlight = createInFlight(most);
  const gatherer = createGatherer({ concurrency: most, ahead: most - connections, now });
  const policy: Policy = {
    ...policyOf,
    isIdempotent: false,
    oncePerSubject: true,
    concurrency: most,
    uncertain: "resend",
  };
  const breaker = new Breaker({
    concurrency: most,
    capacity: () => capacity.allowed(doubt.isVain),
    now,
    random,
    onChange: (state) => {
      if (state !== "open" || breaker.allowance() > 0) return;
      for (const attempt of inFlight.attempts()) if (!attempt.isCommitted) attempt.giveUp.abort("breaker_open");
    },
  });
  const parties = new Parties({
    now,
    random,
    onChange: () => {},
  });
  const allowance = () => Math.min(most, breaker.allowance());
  const doubt = new Doubt(allowance, now, { concurrency: most, ahead: most - connections });
  const lookAhead = createLookAhead<PreparedEntry<Piece, Piece>>({ doubt, allowance, now });
  capacity.heed?.(() => lookAhead.kept() > 0);
  let passed = 0;
  const byEntry = new Map<string, Piece>();
  const pieceOf = ({ id }: Entry): Piece => {
    const piece = byEntry.get(id);
    if (piece === undefined) throw new Error("an entry without a piece");
    return piece;
  };

  const settler = simulatedSettler({
    streams,
    pieceOf,
    policy,
    random,
    outcome: gatherer.outcome,
    onPassed: () => (passed += 1),
    now,
  });
  const slots = createWorkSlots(most);
  const sending = { group: "simulated", pool, greylistMs: 300_000, suppress: async () => {}, now };
  const startAttempt = createAttempts<Piece, Piece>({
    definition: {
      group: { name: "simulated", types: [] },
      data: z.custom<Piece>(),
      prepare: unused,
      policy,
      capacity,
      work: (claim, { number, domain }, attempt) => {
        const email = `b-${number}@${domain}`;
        const recipient = { userId: "", userName: "", email, emailKey: email, isSuppressed: false, isVerified: false };
        const message = { messageId: "", raw: Buffer.from("x"), wire: Buffer.from("x"), release: () => {} };
        return sendMail(sending, { recipient, from: "us@here.example", build: () => message }, claim, attempt);
      },
    },
    inFlight,
    breaker,
    parties,
    doubt,
    quotas: { take: async () => undefined },
    admission: {
      isLimited: false,
      waitMs: 0,
      ratePerSecond: undefined,
      follow: () => {},
      fill: async () => Number.POSITIVE_INFINITY,
      spend: () => {},
      refund: () => {},
      giveBack: async () => {},
      slowDown: () => {},
    },
    settler,
    publishState: () => {},
    around: (attempt, work) => slots.run(attempt.giveUp.signal, () => gatherer.timed(work)),
    pauseGroup: async () => false,
    now,
    wallClock: () => new Date(0),
    hastener: { accepted: () => {}, told: () => {} },
    random,
    at: async () => {},
    log,
  });
  const choose = createChoose<Piece, Piece>({
    doubt,
    lookAhead,
    settler,
    inFlight,
    deaths: { kept: () => {}, begin: () => {} },
  });
  const { signal } = new AbortController();
  const patience = { signal, progress: () => {} };

  let lastEntry = 0;
  const entryOf = (piece: Piece): Entry => {
    const id = String(++lastEntry);
    byEntry.set(id, piece);
    return { stream: "s", id, raw: piece.raw, deliveries: 1, isTakenOver: false, deathsAlone: 0 };
  };

  const finished = (entry: Entry) => {
    inFlight.release(entry);
    byEntry.delete(entry.id);
  };
  const deliver = async (entries: readonly Entry[], most: number) => {
    for (const entry of entries) inFlight.take(entry);
    if (entries.length > 0) await pause(STORE_MS);
    const items = entries.map((entry) => {
      const piece = pieceOf(entry);
      const event = {
        id: String(piece.number).padStart(8, "0"),
        source: "s",
        type: "t",
        time: "",
        subject: undefined,
        traceparent: "",
      };
      const prepared = { kind: "ready", input: piece, party: piece.domain } as const;
      return { entry, event: { ...event, data: piece }, data: piece, prepared };
    });
    const { wanted, passed: beyond, over } = choose(items, { most, ...patience });
    for (const { entry } of beyond) {
      inFlight.keep(entry);
      void over.then(() => finished(entry));
    }
    if (wanted.length === 0) return;
    await pause(STORE_MS);
    for (const item of wanted) {
      const piece = pieceOf(item.entry);
      const claim = {
        kind: "taken",
        eventId: item.event.id,
        fence: 1,
        attempts: piece.attempts,
        systemFailures: piece.systemFailures,
        uncertain: 0,
        unanswered: 1,
        isExpired: false,
        ageMs: now() - piece.madeAt,
        isReplayed: false,
        isReleased: false,
        tookOver: false,
        lastReason: piece.lastReason,
        unchangedMs: now() - piece.changedAt,
      } as const;
      const attempt = startAttempt({ ...item, claim, token: "", isNoted: false, leaseUntil: Number.POSITIVE_INFINITY });
      void attempt.done.then(() => finished(item.entry));
    }
  };

  const letGo = () => {
    const entries = lookAhead.letGo().map(({ entry }) => entry);
    if (entries.length === 0) return;
    const over = settler.passOver(
      entries.map((entry) => ({ entry, delayMs: 0 })),
      patience,
    );
    for (const entry of entries) void over.then(() => finished(entry));
  };

  let behind = 0;
  const take = (stream: Piece[], count: number) => stream.splice(0, Math.max(0, count)).map(entryOf);
  const readWhatIsThere = (mayRead: number): readonly Entry[] => {
    const isClosed = breaker.state === "closed";
    const isChoosing = isClosed || breaker.isDeclining;
    const reads = isChoosing ? lookAhead.reads(mayRead) : Math.max(0, mayRead - lookAhead.kept());
    const shares = isClosed ? sharesOf(Math.min(reads, mayRead), behind) : { events: reads, retries: 0 };
    const isLookingAhead = reads > mayRead;
    const retries = take(streams.retries, shares.retries);
    const events = take(streams.events, reads - retries.length);
    const unused = reads - retries.length - events.length;
    const mayHaveRetries = retries.length === shares.retries;
    const more = mayHaveRetries ? take(streams.retries, unused) : [];
    const counted = {
      retries: isLookingAhead ? Math.min(shares.retries, retries.length + more.length) : retries.length + more.length,
      events: isLookingAhead ? Math.min(shares.events, events.length) : events.length,
    };
    behind = behindAfter(behind, { claimed: 0, ...counted, mayHaveRetries, mayHaveEvents: unused === 0 }, most);
    gatherer.behind(lookAhead.kept() > 0 || (reads > 0 && retries.length + more.length + events.length === reads));
    return [...retries, ...events, ...more];
  };

  const waitForEntries = (room: number): readonly Entry[] => {
    const count = Math.max(1, Math.floor(room / 2));
    const found = [...streams.retries.splice(0, count), ...streams.events.splice(0, count)];
    for (const beyond of found.slice(room)) streams.delay(beyond, 0);
    return found.slice(0, room).map(entryOf);
  };

  const turn = async (): Promise<void> => {
    if (breaker.allowance() === 0) letGo();
    const { waitMs, enough } = gatherer.hands(inFlight.room());
    if (waitMs > 0 && inFlight.room() > 0) await inFlight.untilRoom(enough, waitMs, signal);
    const room = Math.min(inFlight.room(), Math.max(0, breaker.allowance() - inFlight.size()));
    if (room <= 0) {
      if (inFlight.room() === 0) await inFlight.untilRoom(1, 2_000, signal);
      else await inFlight.untilOneEnds(100, signal);
      if (lookAhead.isOverdue()) await deliver([], 0);
      return;
    }
    await pause(STORE_MS);
    const isKeeping = lookAhead.kept() > 0;
    let entries = readWhatIsThere(room);
    if (isKeeping) {
      const mayGoOn = entries.length > 0 || lookAhead.mayAttempt(room) || lookAhead.isOverdue();
      if (!mayGoOn) await inFlight.untilOneEnds(50, signal);
    } else if (entries.length === 0) {
      await pause(5);
      entries = waitForEntries(room);
    }
    await deliver(entries, room);
  };

  const run = async () => {
    for (;;) await turn();
  };
  void run();
  return { passed: () => passed };
};
