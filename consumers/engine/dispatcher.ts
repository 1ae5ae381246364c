import type { Redis } from "ioredis";
import { mayHaveHadEffect, restOf } from "../../database/errors.ts";
import type { UnknownEvent } from "../../database/ledger/adopt.ts";
import type { ClaimedDelivery, WantedDelivery, WhenUncertain } from "../../database/ledger/claim.ts";
import type { Progress } from "../../runtime/loop.ts";
import { GaveUp } from "../../runtime/persist.ts";
import { findDoneNotes } from "../../stream/done-note.ts";
import type { Entry } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { type AttemptDeps, createAttempts, type ReadableEntry } from "./attempt.ts";
import { type ChooseDeps, createChoose, type PreparedEntry } from "./choose.ts";
import { sayIfClocksDiffer } from "./clocks-differ.ts";
import { STOPPED } from "./decide.ts";
import type { Ledger } from "./ledger.ts";
import { createPreparation, type PreparationDeps } from "./prepare.ts";
import type { Unclaimer } from "./unclaimer.ts";
import { type UnlessStopped, unlessStoppedBy } from "./unless-stopped.ts";

export interface DispatcherDeps<Data, Input>
  extends AttemptDeps<Data, Input>,
    Pick<ChooseDeps<Data, Input>, "lookAhead" | "deaths">,
    Pick<PreparationDeps<Data, Input>, "knownTypes"> {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly ledger: Ledger;
  readonly unclaimer: Pick<Unclaimer, "undo">;
  readonly leaseMs: number;
  /** A UUID for each claim. */
  readonly newToken: () => string;
}

export interface Dispatcher {
  /**
   * Claims entries and starts their attempts. Resolves when the ledger has answered; the attempts continue in the
   * background. Aborting the signal releases entries that are not claimed yet. `most`: how many may be attempted, beside those of dead
   * consumers, of these entries and of those that are kept; the others are kept, or come back later.
   */
  deliver(entries: readonly Entry[], signal: AbortSignal, progress: Progress, most: number): Promise<void>;
  /** Gives back the entries that are kept. */
  letGo(signal: AbortSignal, progress: Progress): Promise<void>;
}

interface LeasedDelivery {
  readonly claim: ClaimedDelivery;
  /** Monotonic, ms: our lease lasts at least until then. */
  readonly leaseUntil: number;
}

/** Delay of a second entry of an event that the same batch claims, in ms. */
const DUPLICATE_WAIT_MS = 1_000;

/** What was looked up so long ago may have changed: a claim that fails then is not repeated, and its entries are looked up again, in ms. */
const STALE_AFTER_MS = 2_000;

export const createDispatcher = <Data, Input>(deps: DispatcherDeps<Data, Input>): Dispatcher => {
  const { redis, keys, definition, inFlight, lookAhead, ledger, unclaimer, settler, leaseMs, newToken, now, log } =
    deps;
  const { group } = definition;
  const startAttempt = createAttempts(deps);
  const choose = createChoose(deps);
  const noteKey = (eventId: string) => keys.sent(group.name, eventId);

  /** Runs in the background. If the process gives up, the entry stays pending for a peer. */
  const inBackground = (entry: Entry, work: Promise<void>): void => {
    void work
      .catch((error: unknown) => {
        if (!(error instanceof GaveUp))
          log.error({ entry_id: entry.id, error }, "giving up; a peer will claim the entry");
      })
      .finally(() => inFlight.release(entry));
  };

  /** What was passed over last: no more than that of two reads at a time. */
  let passing = Promise.resolve();
  const { prepare, refuse } = createPreparation({ ...deps, inBackground });

  const wantedOf = ({ event, prepared }: PreparedEntry<Data, Input>): WantedDelivery => {
    if (prepared === undefined) return { event_id: event.id, lookup: "cancel", reason: "not_found" };
    // A look-up that failed is claimed, too: it is an attempt, and is settled as one.
    if (prepared.kind === "ready" || prepared.kind === "failed")
      return { event_id: event.id, lookup: "ready", reason: null };
    return { event_id: event.id, lookup: prepared.kind, reason: prepared.reason };
  };

  const unknownOf = (item: PreparedEntry<Data, Input>): UnknownEvent => {
    const { event, data } = item;
    return {
      ...wantedOf(item),
      type: event.type,
      subject: definition.subjectOf?.(data) ?? event.subject ?? event.id,
      data,
      traceparent: event.traceparent,
      tracestate: event.tracestate ?? null,
    };
  };

  /** Times how late the work is: the delay of the group is no lateness. A replayed event had none. */
  const agedFromDue = (claim: ClaimedDelivery): ClaimedDelivery =>
    claim.kind === "taken" && !claim.isReplayed
      ? { ...claim, ageMs: Math.max(0, claim.ageMs - (group.delayMs ?? 0)) }
      : claim;

  const sayOfClocks = sayIfClocksDiffer({ log, now });

  /** Measured before the query: the ledger's lease begins later, so ours never lasts longer. */
  const leased = async (ask: () => Promise<Map<string, ClaimedDelivery>>): Promise<Map<string, LeasedDelivery>> => {
    const leaseUntil = now() + leaseMs;
    const claims = await ask();
    sayOfClocks(claims.values());
    return new Map([...claims].map(([eventId, claim]) => [eventId, { claim: agedFromDue(claim), leaseUntil }]));
  };

  const notedOf = (claimed: ReadonlyMap<string, LeasedDelivery>): Promise<Set<string>> =>
    findDoneNotes(
      redis,
      [...claimed.values()].flatMap(({ claim }) =>
        claim.kind === "taken" && (claim.uncertain > 0 || claim.tookOver) ? [noteKey(claim.eventId)] : [],
      ),
    );

  /** A note that the work is done decides; without one, an operator does. */
  const claimDoubtful = async (wanted: readonly WantedDelivery[], token: string) => {
    const noted = await findDoneNotes(
      redis,
      wanted.map(({ event_id }) => noteKey(event_id)),
    );
    const isNoted = ({ event_id }: WantedDelivery) => noted.has(noteKey(event_id));
    const done = wanted.filter(isNoted);
    const unknown = wanted.filter((each) => !isNoted(each));
    const claim = (some: readonly WantedDelivery[], doubt: WhenUncertain) =>
      leased(() => ledger.claimDoubtful(some, token, doubt));
    if (done.length === 0) return claim(unknown, "hold");
    const claimed = await claim(done, "resend");
    return unknown.length === 0 ? claimed : new Map([...claimed, ...(await restOf(() => claim(unknown, "hold")))]);
  };

  /** Claims entries, and starts the attempts of those that are taken. */
  const claimAndStart = async (
    wanted: readonly PreparedEntry<Data, Input>[],
    unlessStopped: UnlessStopped,
    isFresh: () => boolean,
  ): Promise<void> => {
    const token = newToken();
    const wantedBy = new Map(wanted.map((item) => [item.event.id, wantedOf(item)]));
    /** Whether the answer of a claim under this token was lost: it may have taken deliveries, or take them when it arrives. */
    let isLost = false;
    const asking = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
      try {
        return await ask();
      } catch (error) {
        isLost ||= mayHaveHadEffect(error);
        throw error;
      }
    };
    const undo = ({ event }: ReadableEntry<Data>): Promise<void> =>
      isLost ? unclaimer.undo(event.id, token) : Promise.resolve();
    /** The entry stays in flight until the ledger has answered: for whoever has it then, the delivery is not tried. */
    const giveBack = (items: readonly ReadableEntry<Data>[]): void => {
      for (const item of items) {
        inBackground(
          item.entry,
          undo(item).then(() => settler.release(item.entry)),
        );
      }
    };

    const answers = await unlessStopped(
      "claiming deliveries in the ledger",
      () => asking(() => leased(() => ledger.claim([...wantedBy.values()], token))),
      isFresh,
    );
    if (answers === undefined) return giveBack(wanted);
    const doubtful = [...answers].flatMap(([id, { claim }]) => (claim.kind === "doubtful" ? [id] : []));
    const decided =
      doubtful.length === 0
        ? new Map<string, LeasedDelivery>()
        : await unlessStopped(
            "claiming deliveries of which it is unknown whether they are done",
            () =>
              asking(() =>
                claimDoubtful(
                  doubtful.flatMap((id) => wantedBy.get(id) ?? []),
                  token,
                ),
              ),
            isFresh,
          );
    const claims = new Map([...answers, ...(decided ?? [])]);
    const unknown = wanted.filter(({ event }) => !claims.has(event.id));
    const adopted =
      unknown.length === 0
        ? new Map<string, LeasedDelivery>()
        : await unlessStopped("adding unknown events to the ledger", () =>
            asking(() => leased(() => ledger.adopt(unknown.map(unknownOf), token))),
          );
    if (adopted === undefined) giveBack(unknown);
    const claimed = new Map([...claims, ...(adopted ?? [])]);
    const noted = await unlessStopped("reading notes of work that is done", () => notedOf(claimed));
    const started = new Set<string>();
    for (const item of wanted) {
      const { entry, event } = item;
      const { claim, leaseUntil } = claimed.get(event.id) ?? { claim: undefined, leaseUntil: 0 };
      // It may be a peer's because that took over what this claim had.
      if (claim?.kind === "wait" || claim?.kind === "closed") void undo(item);
      if (claim === undefined) {
        if (adopted !== undefined) refuse(item);
      } else if (claim.kind === "doubtful") {
        // Asked to stop before it was decided, or it took too long: it is as it was.
        giveBack([item]);
      } else if (started.has(event.id)) {
        inBackground(entry, settler.delay(entry, DUPLICATE_WAIT_MS));
      } else if (claim.kind === "wait") {
        inBackground(entry, settler.delay(entry, claim.delayMs));
      } else if (claim.kind === "closed") {
        inBackground(entry, settler.complete(entry, event.id, claim));
      } else {
        started.add(event.id);
        const isNoted = noted?.has(noteKey(event.id)) === true;
        const attempt = startAttempt({ ...item, claim, token, leaseUntil, isNoted });
        inBackground(entry, attempt.done);
        // Asked to stop before it was known whether the work is done already: a peer will find out.
        if (noted === undefined) attempt.running.giveUp.abort(STOPPED);
      }
    }
  };

  return {
    async deliver(entries, signal, progress, most) {
      const unlessStopped = unlessStoppedBy({ signal, progress }, log);
      const fresh = entries.filter((entry) => !inFlight.holds(entry));
      for (const entry of fresh) inFlight.take(entry);
      const items = await prepare(fresh, unlessStopped);
      const lookedAt = now();
      const isFresh = () => now() - lookedAt < STALE_AFTER_MS;
      const { wanted, passed, over } = choose(items, { most, signal, progress });
      for (const { entry } of passed) {
        // It takes the room of no other while its way is noted.
        inFlight.keep(entry);
        inBackground(entry, over);
      }
      if (wanted.length > 0) await claimAndStart(wanted, unlessStopped, isFresh);
      await passing;
      passing = over.catch(() => {});
    },
    async letGo(signal, progress) {
      const entries = lookAhead.letGo().map(({ entry }) => entry);
      if (entries.length === 0) return;
      const gone = settler.passOver(
        entries.map((entry) => ({ entry, delayMs: 0 })),
        { signal, progress },
      );
      for (const entry of entries) inBackground(entry, gone);
      await gone.catch(() => {});
    },
  };
};
