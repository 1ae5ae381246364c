import type { Lead, Places } from "../../engine/handler.ts";
import { openAtSomeAddress } from "./addresses.ts";
import { ConnectionLimit, FIRST_GRANTED } from "./capacity.ts";
import { type Connecting, createConnecting } from "./connecting.ts";
import { Crowding } from "./crowding.ts";
import { ownFailure, type SmtpFailure, wasStale } from "./failure.ts";
import { inTime } from "./in-time.ts";
import { hasHeardRecipient, limitOf } from "./limit-words.ts";
import { createLogins } from "./logins.ts";
import { createOneTooMany } from "./one-too-many.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { createPatience, MAIL, OPENING } from "./patience.ts";
import { Pipelining } from "./pipelining.ts";
import { createPlaces } from "./places.ts";
import type { SmtpPoolOptions } from "./pool-options.ts";
import { createRates } from "./rates.ts";
import { describeCertificate } from "./refused-certificate.ts";
import { createSendSlots } from "./send-slots.ts";
import type { Again, Sending } from "./sending.ts";
import { type MailSession, SmtpSession } from "./session.ts";
import { createSessions } from "./sessions.ts";
import { createStarvation } from "./starvation.ts";
import { createTlsFaults } from "./tls-faults.ts";
import { isAboutLimits } from "./whose-limit.ts";
import { createWords } from "./words.ts";

export interface SmtpPool {
  /** Sends a mail; never rejects. An abort cancels it, unless its body has started. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult>;
  /** Connections that are sending now. */
  busy(): number;
  /** Connections that the server grants, as far as is known. 0: others have all; until there is one, mails are refused at once. */
  granted(): number;
  /** Whether that is the server's limit: else it was not asked for more yet. */
  isLimited(): boolean;
  /** For how long it has granted none, in ms; undefined: it grants some. */
  nothingForMs(): number | undefined;
  /** Whether others have all that it grants: it works, as far as is known. */
  isFull(): boolean;
  /** Mails a second that the server grants; undefined: no limit is known. */
  perSecond(): number | undefined;
  /** Mails a second that the connections which are granted can send, if none is idle; 0: not known yet. */
  possiblePerSecond(): number;
  /** The server's last reply about a limit, without the recipient. */
  words(): string | undefined;
  /** Its reply to the last connection, if it refused that and spoke of no limit. */
  refusal(): string | undefined;
  /** Told once how to ask whether mails wait elsewhere: a dialogue that takes long is cut for them as for those that wait here. */
  heed(othersWait: () => boolean): void;
  /** Its connections, as other groups that send to the same server see them. */
  readonly places: Places;
  /** Whether one consumer is to have the rate of the server. */
  readonly lead: Lead;
  /** Closes idle connections and waits for sends in flight; later sends are cancelled. */
  close(): Promise<void>;
}

const MAX_MAILS_PER_CONNECTION = 100;
const MIN_AGE_MS = 10_000;
const MAX_IDLE_MS = 30_000;
/** Of the connections that are granted: what is in doubt leaves the others. */
const IN_USE = 0.75;
/** So many connections are asked whether it is the mail that is refused, or the connection. */
const MOST_LOOKS = 2;
/** Share of the newest mail in how long one takes. */
const NEWEST = 0.05;

const now = () => performance.now();

/**
 * A pool of connections that are reused: connecting, STARTTLS and login cost more than a mail. It learns how many connections
 * the server grants: a mail that is refused one waits until another is free.
 */
export const createSmtpPool = (options: SmtpPoolOptions): SmtpPool => {
  const { server, size, sendDeadlineMs, onCertificate = () => {}, onOneByOne = () => {} } = options;
  const { random = Math.random, openSession = openAtSomeAddress(SmtpSession.open, { now, random }) } = options;
  const { maxMailsPerConnection = MAX_MAILS_PER_CONNECTION, minAgeMs = MIN_AGE_MS, maxIdleMs = MAX_IDLE_MS } = options;
  const openingMs = (): number => openingTimes.usualMs();
  const crowding = new Crowding({ now: () => performance.timeOrigin + now(), openingMs });
  const limit = new ConnectionLimit(size, { now, first: FIRST_GRANTED, crowding });
  const rates = createRates({
    now,
    othersHave: () => places.others(),
    proven: () => sessions.proven(),
    possiblePerSecond: () => possiblePerSecond(),
    onStandBack: () => slots.turnAway(),
  });
  const most = () => crowding.of(Number.POSITIVE_INFINITY);
  const sessions = createSessions({ size, most, maxMailsPerConnection, openingMs, minAgeMs, maxIdleMs, now });
  const hasConnection = () => sessions.usable() > 0;
  const logins = createLogins({ areNeeded: server.username !== undefined, hasConnection, now });
  const slots = createSendSlots({
    ...{ limit, pace: rates.pace, now },
    idle: sessions.idle,
    restMs: () => (hasConnection() ? logins.restMs : 0),
    isOpening: () => connecting.asked() > 0,
  });
  let othersWait = () => false;
  /** What waits elsewhere may wait for something else, as long as connections are free beyond those that are left for others. */
  const isWaitedFor = () => slots.isWaitedFor() || (slots.busy() >= Math.floor(IN_USE * limit.granted) && othersWait());
  const patience = { now, granted: () => limit.granted, isWaitedFor };
  const [openingTimes, dialogues] = [createPatience(patience, OPENING), createPatience(patience, MAIL)];
  const tlsFaults = createTlsFaults({
    describe: () => describeCertificate(server, sendDeadlineMs),
    onCertificate,
    now,
  });
  const words = createWords();
  const pipelining = new Pipelining({ now, onOneByOne });
  const underWay = new Set<AbortController>();
  /** Mails that have a connection. */
  let sending = 0;
  /** How long a mail that is accepted takes on its connection, in ms. */
  let mailMs = 0;
  let closed = false;

  const open = async (signal: AbortSignal): Promise<MailSession> =>
    openSession({ ...server, pipelining }, sendDeadlineMs, signal);

  const starvation = createStarvation({
    open,
    onOpened: (session) => {
      sessions.opened(session);
      sessions.keep(session);
    },
    isOneTooMany: (failure) => places.refusalOf(failure) !== undefined,
    onRefused: (failure, isRequest) => {
      words.refused(failure, "");
      sessions.notOpened();
      places.refused(isRequest);
    },
    now,
    random,
  });
  const has = () => (rates.areFirstsInDoubt() ? sessions.proven() : sessions.usable());
  const places = createPlaces({ server, sessions, limit, crowding, starvation, has, look: slots.look, now });

  const oneTooMany = createOneTooMany({
    ...{ sessions, limit, places, words, slots },
    opening: () => connecting.asked(),
    ask: () => {
      if (!closed) starvation.begin();
    },
  });

  /** A connection is granted when the server takes a mail over it, or refuses the recipient: some greet one too many. */
  const showGrant = (): void => {
    limit.opened(sessions.usable());
    places.works();
    words.works();
    slots.look();
  };

  const sendOver = async (
    session: MailSession,
    mail: OutgoingMail,
    { signal, code, dialogue }: Sending,
  ): Promise<SendResult | Again> => {
    const watched = dialogues.watch(dialogue);
    const startedAt = now();
    sending += 1;
    const times = limit.began(sending);
    const isProven = sessions.isProven(session);
    const beforeBody = () => {
      if (session.sends === 1) showGrant();
      const mayStart = mail.beforeBody();
      if (mayStart) watched.gotOn();
      if (mayStart) sessions.prove(session);
      return mayStart;
    };
    const result = await session.send({ ...mail, beforeBody }, signal, code);
    sending -= 1;
    watched.end();
    const sent = { mail, startedAt, nth: session.sends, isProven };
    if (result.kind === "accepted") {
      const tookMs = now() - startedAt;
      limit.accepted(times, tookMs);
      rates.accepted(sent);
      mailMs = mailMs === 0 ? tookMs : mailMs + NEWEST * (tookMs - mailMs);
      sessions.keep(session);
      return result;
    }
    const isFirst = session.sends === 1;
    if (!isProven && rates.dependsOnOthers(result.failure)) {
      places.refused(false);
      await places.heard();
    }
    const { failure, isTurnedAway, isUnclear = false } = rates.judged(result.failure, sent);
    if (isUnclear && !signal.aborted) {
      sessions.disown(session);
      sessions.leave(session);
      return { kind: "again", failure, first: "unclear" };
    }
    const { bodyStarted, command, isOfDomain = false } = failure;
    const said = limitOf(failure);
    if (!isOfDomain && (said === "rate" || said === "quota")) words.limited(failure, mail.to, "mails");
    const isRefused = isTurnedAway || (!isOfDomain && said === "connections");
    // Not one of those that the server may still count: it was none of those that it grants.
    if (isRefused) sessions.disown(session);
    else if (isFirst && (command === "RCPT TO" || failure.code === "ETOOSLOW")) showGrant();
    if (isRefused || said === "used up") sessions.leave(session);
    else sessions.keep(session);
    if (isRefused && !bodyStarted && !signal.aborted) {
      const refused = oneTooMany(failure, mail.to);
      return refused.kind === "again" ? { ...refused, first: "one too many" } : refused;
    }
    const isAgain = said === "used up" && !isFirst && !bodyStarted && !signal.aborted;
    return { kind: isAgain ? "again" : "failed", failure };
  };

  const connecting: Connecting = createConnecting({
    ...{ open, sessions, limit, tlsFaults, logins, oneTooMany, patience: openingTimes, deadlineMs: sendDeadlineMs },
    ...{ askOthers: places.ask, turnAway: slots.turnAway },
  });

  /** The server closed the connection while it was idle, and not because of what was asked. */
  const isStaleBy = (failure: SmtpFailure): boolean => wasStale(failure) && !isAboutLimits(failure);

  /** If the server has closed a connection that was idle, nothing was sent, and the mail has another one at once. */
  const sendOnSome = async (mail: OutgoingMail, sending: Sending, isOnNew: boolean): Promise<SendResult | Again> => {
    for (let idle = isOnNew ? undefined : sessions.takeIdle(); ; idle = undefined) {
      const session = idle ?? (await connecting.next(mail, sending, isOnNew));
      if ("kind" in session) return session;
      sending.hasConnection();
      const wasKept = session.idleSince > 0;
      const result = await sendOver(session, mail, sending);
      const isStale = wasKept && result.kind === "failed" && isStaleBy(result.failure);
      if (!isStale || sending.signal.aborted) return result;
    }
  };

  const possiblePerSecond = () => (mailMs === 0 ? 0 : (granted() * 1_000) / mailMs);
  const isWithout = () => starvation.isOn || rates.slow.standsBack;
  const granted = () => (isWithout() ? 0 : limit.granted);

  return {
    busy: slots.busy,
    granted,
    isLimited: () => isWithout() || limit.isKnown,
    perSecond: () => rates.pace.perSecond,
    possiblePerSecond,
    words: () => words.ofLimit(starvation.isOn),
    refusal: words.ofRefusal,
    nothingForMs: () => starvation.forMs,
    isFull: () => rates.slow.standsBack || places.isFull(),
    places,
    lead: { at: places.at, wish: () => rates.slow.wish(), heard: (leader) => rates.slow.heard(leader) },
    heed: (ask) => {
      othersWait = ask;
    },
    async send(mail, signal) {
      const until = now() + sendDeadlineMs;
      const { isDoubtful = false, isSlow = () => false } = mail;
      let isOnNew = false;
      let hasUsedUp = false;
      let looks = 0;
      for (let refused: SmtpFailure | undefined; ; ) {
        const slot = closed
          ? "cancelled"
          : isWithout()
            ? "late"
            : await slots.take(signal, { until, refused, isDoubtful, isSlow });
        if (slot === "cancelled") return { kind: "failed", failure: ownFailure("ECALLEDBACK", false) };
        if (slot === "late") return { kind: "failed", failure: ownFailure("EBUSY", false) };
        if (!("free" in slot)) return { kind: "failed", failure: slot };
        mail.begins?.();
        try {
          const result = await inTime(mail, signal, { deadlineMs: sendDeadlineMs, underWay }, (each, sending) =>
            sendOnSome(each, sending, isOnNew),
          );
          if (result.kind !== "again") return result;
          refused = result.failure;
          if (result.first === "unclear" && ++looks > MOST_LOOKS) return { kind: "failed", failure: refused };
          isOnNew = result.first === undefined && limitOf(refused) === "used up";
          // Else what its recipient's server says of it would use up each connection.
          if (isOnNew && hasUsedUp && hasHeardRecipient(refused)) return { kind: "failed", failure: refused };
          hasUsedUp ||= isOnNew;
        } finally {
          slot.free();
        }
      }
    },
    async close() {
      closed = true;
      starvation.end();
      connecting.close();
      sessions.close();
      // The caller has given up sends that still wait for a reply: they must not keep the process alive.
      const timer = setTimeout(() => {
        for (const end of underWay) end.abort();
      }, CLOSE_GRACE_MS);
      await slots.untilIdle();
      clearTimeout(timer);
      await sessions.untilLeft();
    },
  };
};

const CLOSE_GRACE_MS = 500;
