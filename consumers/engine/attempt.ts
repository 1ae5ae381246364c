import type { TakenDelivery } from "../../database/ledger/claim.ts";
import type { Logger } from "../../observability/logger.ts";
import { backoffMs } from "../../runtime/backoff.ts";
import type { Entry } from "../../stream/entries.ts";
import type { StreamEvent } from "../../stream/events/envelope.ts";
import type { Admission } from "./admission.ts";
import type { Breaker } from "./breaker.ts";
import type { AtCheckpoint } from "./checkpoint.ts";
import type { Doubt, Progress } from "./doubt.ts";
import { dueOf } from "./failure-fields.ts";
import type { Attempt, GroupDefinition, Outcome } from "./handler.ts";
import type { HastenerHears } from "./hastener.ts";
import type { InFlight, RunningAttempt } from "./in-flight.ts";
import { learnFrom } from "./learn.ts";
import type { LookUp } from "./look-up.ts";
import type { Parties } from "./parties.ts";
import type { Quotas } from "./quotas.ts";
import type { Settler } from "./settler.ts";
import { isSystemsFault } from "./thrown.ts";
import { verdictBefore } from "./verdict.ts";

/** An entry whose event the group can read. */
export interface ReadableEntry<Data> {
  readonly entry: Entry;
  readonly event: StreamEvent;
  readonly data: Data;
}

/** A claimed entry before its attempt. */
export interface ClaimedEntry<Data, Input> extends ReadableEntry<Data> {
  readonly claim: TakenDelivery;
  /** Of the claim. */
  readonly token: string;
  readonly prepared: LookUp<Input> | undefined;
  /** There is a note that the work was done while the ledger was unavailable. */
  readonly isNoted: boolean;
  /** Monotonic, ms: our lease lasts at least until then. */
  readonly leaseUntil: number;
}

/** Runs one attempt, settling included, in its span. */
export type AroundAttempt = (attempt: RunningAttempt, work: () => Promise<void>) => Promise<void>;

export interface AttemptDeps<Data, Input> {
  readonly definition: GroupDefinition<Data, Input>;
  readonly inFlight: InFlight;
  readonly breaker: Breaker;
  readonly parties: Parties;
  readonly doubt: Doubt;
  readonly quotas: Quotas;
  readonly admission: Admission;
  readonly hastener: HastenerHears;
  readonly settler: Settler;
  /** Tells live pages of a new state. */
  readonly publishState: (eventId: string, state: string) => void;
  readonly around: AroundAttempt;
  /** Pauses the group for a reason; false if it was paused already. */
  readonly pauseGroup: (reason: string) => Promise<boolean>;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly wallClock: () => Date;
  readonly random: () => number;
  readonly at: AtCheckpoint;
  readonly log: Logger;
}

/** Whether the effect may take place now: our lease has not run out, and the attempt is not aborted. */
const mayCommit = (attempt: RunningAttempt, now: () => number): boolean =>
  !attempt.isLost && !attempt.giveUp.signal.aborted && now() < attempt.leaseUntil;

/** What became of the work. `threw`: its code failed for this piece, which says nothing about other systems. */
interface Ended {
  readonly outcome: Outcome;
  readonly threw: boolean;
}

const HANDLER_ERROR = "handler_error";
/** Outcomes that nobody has to look at. */
const QUIET: ReadonlySet<Outcome["kind"]> = new Set(["done", "released", "delayed"]);
/** Delay of a piece that may not be the next probe, in ms. */
const NO_PROBE_MS = 5_000;
const VAIN: ReadonlySet<Outcome["kind"]> = new Set(["transient", "rejected", "uncertain"]);
/** Whether the piece or its party is why it was in vain; what the system fails is no piece's fault. */
const wasInVain = (outcome: Outcome): boolean =>
  VAIN.has(outcome.kind) || (outcome.kind === "unavailable" && outcome.party !== undefined);
/** Whether the piece was put to the other system, so that it counts for its rate. */
const wasAsked = (outcome: Outcome): boolean =>
  outcome.kind !== "released" && !(outcome.kind === "unavailable" && outcome.isUnreached === true);

/** What a party refuses as it refuses everything is first held for so many delays of a retry: an hour, of 30 s. */
const HOLD_DELAYS = 120;
const HOLD_CAP_MS = 12 * 3_600_000;

/**
 * Runs the work to its outcome. Work that throws is uncertain after its commit point; before it, and always if it is
 * idempotent, the system's failure if a system failed, else a retry.
 */
const outcomeOf = async (
  attempt: RunningAttempt,
  work: (attempt: Attempt) => Promise<Outcome>,
  options: {
    readonly isIdempotent: boolean;
    readonly begins: () => void;
    readonly commits: () => void;
    readonly now: () => number;
    readonly log: Logger;
  },
): Promise<Ended> => {
  const { isIdempotent, begins, commits, now, log } = options;
  try {
    const outcome = work({
      signal: attempt.giveUp.signal,
      begins,
      commit: () => {
        const isAllowed = mayCommit(attempt, now);
        // Once passed, it stays passed: a second call does not undo the first one's effect.
        attempt.isCommitted ||= isAllowed;
        if (isAllowed) commits();
        return isAllowed;
      },
    });
    return { outcome: await Promise.race([outcome, attempt.cutOff.promise]), threw: false };
  } catch (error) {
    log.error({ event_id: attempt.event.id, error }, "the work threw; the event will be retried");
    if (attempt.isCommitted && !isIdempotent) {
      return { outcome: { kind: "uncertain", reason: HANDLER_ERROR }, threw: true };
    }
    if (isSystemsFault(error)) return { outcome: { kind: "unavailable", reason: HANDLER_ERROR }, threw: false };
    return { outcome: { kind: "transient", reason: HANDLER_ERROR }, threw: true };
  }
};

/** One running attempt; `done` resolves when its entry is settled. */
export interface StartedAttempt {
  readonly running: RunningAttempt;
  readonly done: Promise<void>;
}

/** Starts attempts: from a claim, by the group's work, to a settled entry. */
export const createAttempts = <Data, Input>(
  deps: AttemptDeps<Data, Input>,
): ((claimed: ClaimedEntry<Data, Input>) => StartedAttempt) => {
  const { definition, inFlight, breaker, parties, doubt, quotas, admission, hastener } = deps;
  const { settler, publishState, around, pauseGroup, now, wallClock, at, log } = deps;
  const holdMs = (attempts: number): number =>
    backoffMs(attempts + 1, HOLD_DELAYS * definition.policy.retryDelayMs, HOLD_CAP_MS, deps.random);

  /** Where the group cannot be paused, its next attempt has the same outcome, and pauses it. */
  const pauseFor = async (reason: string): Promise<void> => {
    try {
      const changed = await pauseGroup(reason);
      if (changed) log.error({ reason }, `the group is paused: ${reason}; an operator resumes it`);
    } catch (error) {
      log.warn({ error, reason }, "the group could not be paused");
    }
  };

  /** The piece waits, without being attempted: its party does, or the breaker wants another one as its probe. */
  const notNow = (eventId: string, party: string | undefined): Outcome | undefined => {
    if (!breaker.mayProbe({ eventId, party })) return { kind: "delayed", reason: "not_a_probe", delayMs: NO_PROBE_MS };
    const delayMs = party === undefined ? 0 : parties.waitMs(party);
    return delayMs > 0 ? { kind: "delayed", reason: "party_waits", delayMs } : undefined;
  };

  const work = async (
    attempt: RunningAttempt,
    { event, data, claim, prepared }: ClaimedEntry<Data, Input>,
  ): Promise<Outcome> => {
    if (prepared?.kind === "failed") return { kind: "transient", reason: HANDLER_ERROR };
    // The ledger claims only deliveries whose look-up is ready.
    if (prepared?.kind !== "ready") return { kind: "released", reason: "not_ready" };
    const { party } = prepared;
    const delayed = notNow(event.id, party);
    if (delayed !== undefined) return delayed;
    const used = { eventId: event.id, quotas: prepared.quotas ?? [], isForced: claim.isReleased };
    const usedUp = await quotas.take(used);
    if (usedUp !== undefined) return { kind: "held", ...usedUp };
    const { attempts, uncertain, ageMs } = claim;
    const { type, traceparent } = event;
    const failures = attempts + claim.systemFailures;
    const candidate = { party, wasTried: failures > 0, place: event.id };
    const doubts = { isDoubtful: doubt.isOfVainKind(candidate), isSlow: () => doubt.isSlow(candidate) };
    const piece = { eventId: event.id, type, data, traceparent, attempts, failures, ...doubts, uncertain, ageMs };
    const { isIdempotent } = definition.policy;
    admission.spend();
    attempt.isPaidFor = true;
    attempt.askedAtMs = wallClock().getTime();
    const startedAt = now();
    const { acceptedSince } = breaker;
    let askedAt = startedAt;
    const ask = (progress: Progress) => {
      const begins = () => {
        askedAt = now();
        attempt.askedAtMs = wallClock().getTime();
        progress.begins();
      };
      const options = { isIdempotent, begins, commits: progress.commits, now, log };
      return outcomeOf(attempt, (asked) => definition.work(piece, prepared.input, asked), options);
    };
    const { outcome, threw } = await doubt.around(candidate, ask);
    const isVain = wasInVain(outcome);
    if (isVain || outcome.kind === "done")
      doubt.ended(candidate, { ms: now() - askedAt, isVain, turnMs: definition.capacity?.turnMs?.() ?? 0 });
    const isEarly = dueOf(attempt.entry.raw) > wallClock().getTime();
    const isAccepted = outcome.kind === "done" && outcome.isUnasked !== true;
    if (isAccepted && (failures === 0 || isEarly)) hastener.accepted({ askedAt, wasHastened: isEarly });
    if (!wasAsked(outcome)) admission.refund();
    if (outcome.kind === "unavailable" && outcome.isTooFast === true) admission.slowDown();
    if (outcome.kind === "unavailable" && outcome.pausesGroup === true) await pauseFor(outcome.reason);
    const attempted = { eventId: event.id, party, claim, startedAt, askedAt, acceptedSince, isProbe: attempt.isProbe };
    if ("minDelayMs" in outcome && outcome.minDelayMs !== undefined) hastener.told(outcome.minDelayMs);
    if (threw) return outcome;
    const learned = learnFrom(outcome, attempted, { breaker, parties, holdMs });
    const { isDeclining, allDeclined } = breaker;
    if (isDeclining && allDeclined !== undefined)
      attempt.allDeclinedSinceMs = wallClock().getTime() - Math.round(now() - allDeclined.since);
    return learned;
  };

  const run = async (attempt: RunningAttempt, claimed: ClaimedEntry<Data, Input>): Promise<void> => {
    const eventId = attempt.event.id;
    await at("claimed", eventId);
    const { claim, entry, isNoted } = claimed;
    const outcome = verdictBefore(claim, { deathsAlone: entry.deathsAlone, isNoted }) ?? (await work(attempt, claimed));
    await at("attempted", eventId);
    log[QUIET.has(outcome.kind) ? "info" : "warn"](
      { event_id: eventId, outcome: outcome.kind, reason: "reason" in outcome ? outcome.reason : undefined },
      "attempted",
    );
    await settler.settle(attempt, outcome);
  };

  return (claimed) => {
    const { entry, event, claim, token, leaseUntil } = claimed;
    const running: RunningAttempt = {
      entry,
      event,
      claim,
      token,
      giveUp: new AbortController(),
      isProbe: breaker.state !== "closed",
      cutOff: Promise.withResolvers(),
      leaseUntil,
      isCommitted: false,
      askedAtMs: 0,
      allDeclinedSinceMs: 0,
      isPaidFor: false,
      isLost: false,
    };
    inFlight.claimed(running);
    publishState(event.id, "active");
    return { running, done: around(running, () => run(running, claimed)) };
  };
};
