import type { z } from "zod";
import type { Group } from "../../stream/groups.ts";
import type { Leader, LeadWish } from "../../stream/scripts/lead.ts";
import type { BudgetLimits } from "../../stream/scripts/take-budget.ts";
import type { Quota } from "./quotas.ts";

/*
 * The contract between the engine and a group's work. The engine knows nothing of the work; the work knows nothing of
 * streams, claims and retries.
 */

/** One event, as passed to the group's look-up. */
export interface Piece<Data> {
  readonly eventId: string;
  readonly type: string;
  readonly data: Data;
}

/** The look-up's result for one event. */
export type Prepared<Input> =
  /**
   * `party`: whom the work concerns besides us and the other system, a domain or a host; it may refuse on its own. `quotas`: those
   * that the work uses; while one is used up, the piece is held.
   */
  | { readonly kind: "ready"; readonly input: Input; readonly party?: string; readonly quotas?: readonly Quota[] }
  /** There is nothing left to do, or nobody to do it for. */
  | { readonly kind: "cancel"; readonly reason: string }
  /** It must not be done. */
  | { readonly kind: "suppress"; readonly reason: string };

/** One event that this consumer alone may work on now. */
export interface Claim<Data> extends Piece<Data> {
  /** Attempts used up before this one. */
  readonly attempts: number;
  /** How often it failed before, also where that used up no attempt. */
  readonly failures: number;
  /** Pieces like it were in vain lately: where there is not room for all, others go first. */
  readonly isDoubtful: boolean;
  /** Whether pieces of its party take much longer than others, as far as is known by now: they have a part of what there is. */
  readonly isSlow: () => boolean;
  /** Times that it was unknown whether the effect took place: the work may be done already. */
  readonly uncertain: number;
  /**
   * Since the delivery was made, usually with its event, or since its group's delay was over, in ms, when it was claimed.
   */
  readonly ageMs: number;
  /** Trace context of the event, for work that propagates it. */
  readonly traceparent: string;
}

/** The work's view of its attempt while it runs. */
export interface Attempt {
  /** Aborted: end the attempt, unless it is past its commit point. The reason of the abort is a word for the log. */
  readonly signal: AbortSignal;
  /** Call it when the other system is asked: what came before was a wait for it, and is no part of what the piece takes. */
  begins(): void;
  /**
   * Call it once, immediately before the effect can no longer be cancelled. False: the effect must not take place; return
   * `released`.
   */
  commit(): boolean;
}

/** The outcome of one attempt. A new kind does not compile until every switch handles it. */
export type Outcome =
  /**
   * The effect took place. `receipt`: its id in the other system; `reply`: that system's reply, addresses removed. `isUnasked`: there was
   * nothing to ask the other system for, so this says nothing of it.
   */
  | { readonly kind: "done"; readonly receipt?: string; readonly reply?: string; readonly isUnasked?: boolean }
  /**
   * A working system refused this piece for now. Uses up an attempt. `party`: who refused; while several in a row refuse and
   * nothing succeeds, the refusal is the system's, and uses up none.
   */
  | {
      readonly kind: "transient";
      readonly reason: string;
      readonly reply?: string;
      readonly minDelayMs?: number;
      readonly party?: string;
    }
  /**
   * The system failed, whatever the piece. Counts for the breaker; uses up no attempt. `party`: the system works, and could not
   * serve this party. `hasNoRoom`: it has no room for the piece now; delays are short. Without a party it counts as nothing for the piece. `isUnreached`: nothing was asked of it, since there
   * was no connection. A peer may have one, or this consumer in a moment, so delays are short at first; for the piece it counts as nothing.
   * `pausesGroup`: it wants no more of this work; the group is paused, with the reason, until an operator resumes it.
   * `isHarmful`: each further question may do harm, as a login that is refused may lock the account; so it is asked ever more rarely.
   * `isTooFast`: it wants less of it a second; the rate of the group's budget, if it has one, is lowered for a while.
   */
  | {
      readonly kind: "unavailable";
      readonly reason: string;
      readonly reply?: string;
      readonly minDelayMs?: number;
      readonly party?: string;
      readonly hasNoRoom?: boolean;
      readonly isUnreached?: boolean;
      readonly pausesGroup?: boolean;
      readonly isHarmful?: boolean;
      readonly isTooFast?: boolean;
    }
  /**
   * Refused permanently. `party`: who refused by a policy of its own; when the same one refuses several in a row, it is held
   * instead, and when several parties do, our account is refused; so it is final at a later look only. Without it the piece
   * itself is at fault. Without `reply` no other system was involved. `alike`: reasons by which the same refusal may be given at another look,
   * as by another node of the party.
   */
  | {
      readonly kind: "rejected";
      readonly reason: string;
      readonly reply?: string;
      readonly party?: string;
      readonly alike?: readonly string[];
    }
  /**
   * Waits for an operator, or until `forMs` have passed: then it is queued again by itself, once. Without `reply` no other system
   * was asked, and no attempt is used up.
   */
  | { readonly kind: "held"; readonly reason: string; readonly reply?: string; readonly forMs?: number }
  /** Not attempted: it is not its turn yet. No counter changes. */
  | { readonly kind: "delayed"; readonly reason: string; readonly delayMs: number }
  /** Cut off after the commit point: it is unknown whether the effect took place. Uses up an attempt. */
  | { readonly kind: "uncertain"; readonly reason: string }
  /** Ended before the commit point, without effect: asked to stop, or the lease was lost. Uses up no attempt. */
  | { readonly kind: "released"; readonly reason: string };

/** What the other system grants this consumer now, as far as the group's work has found out. */
export interface Capacity {
  /**
   * Pieces of work that it is worth having in flight; `Infinity` if there is no limit. `isInDoubt`: some kind of work is lately in vain,
   * so it is not known how long the next pieces take.
   */
  allowed(isInDoubt?: boolean): number;
  /** Whether the other system has shown that limit: else it was not asked for more yet. */
  isLimited(): boolean;
  /** The other system's last words about its limit, addresses removed; undefined if it said nothing. */
  words(): string | undefined;
  /** What it said when it granted nothing, and spoke of no limit. */
  refusal?(): string | undefined;
  /** For how long nothing has been granted, in ms; undefined: something is. */
  nothingForMs(): number | undefined;
  /** Whether others have all that it grants, so that it works although it has no room for this consumer. */
  isFull?(): boolean;
  /** What a piece costs at least, where so many are allowed a second, however soon it is over, in ms; 0: there is no such limit. */
  turnMs?(): number;
  /** How to ask whether pieces wait that are not in flight: what takes long, and can be given up, is given up for them as well. */
  heed?(othersWait: () => boolean): void;
  /** What it grants, if groups take it from each other. */
  readonly places?: Places;
  /** What it allows, if one consumer of the group may have all of it. */
  readonly lead?: Lead;
}

/** What another system allows that one consumer of a group keeps better than several, who would meet at it, such as a slow rate. */
export interface Lead {
  /** What it is about: consumers of the group with the same name here have one leader. */
  readonly at: string;
  readonly wish: () => LeadWish;
  readonly heard: (leader: Leader) => void;
}

/** Places at another system, such as connections, of which one is taken by whoever asks first, and kept. */
export interface Places {
  /** Where they are: groups with the same name here share. */
  readonly at: string;
  readonly has: () => number;
  readonly idle: () => number;
  /** Whether it has had its only one for long enough. */
  readonly mayBeLeftWithout: () => boolean;
  /** Whether one was refused as one too many since this was last asked. */
  readonly wasRefused: () => boolean;
  /** When one was refused last, for whatever reason: what others have says which it was. Monotonic, ms. */
  readonly refusedAt: () => number;
  /** Whether it is refused each, and asks ever more rarely. */
  readonly isWithout: () => boolean;
  /** Another group has given one up for it. */
  readonly answered: () => void;
  /** All others together have so many. */
  readonly othersHave: (count: number) => void;
  /** All others together have more than before, or fewer: there may be room. */
  readonly othersChanged: () => void;
  /** Leaves an idle one, or the next that becomes free, says when it has, and asks for no other one for a while. */
  readonly giveUp: (onLeft: () => void) => void;
}

/** The policy of a group's work. */
export interface Policy {
  /** Doing the work twice has the effect of doing it once, so a lease that ran out is no possible duplicate. */
  readonly isIdempotent: boolean;
  /** The work is done once per subject: a second event of one, written by hand with another id, is cancelled. */
  readonly oncePerSubject: boolean;
  /** Maximum entries in flight in one consumer. */
  readonly concurrency: number;
  /** How many of them the other system has no room for yet: they only wait for those before them. None if not given. */
  readonly ahead?: number;
  /** Attempts after the first. */
  readonly retryMax: number;
  /** Repetitions of work of which nobody knows whether it took place; 3 if not given. */
  readonly uncertainMax?: number;
  /** Delay before the first retry, in ms; doubles with each, up to four hours. */
  readonly retryDelayMs: number;
  /** Age in ms after which an unfinished delivery is dead-lettered, reason `expired`; never if not given. */
  readonly expireAfterMs?: number;
  /** When it is unknown whether the effect took place: repeat the work, or hold it for an operator. */
  readonly uncertain: "resend" | "hold";
}

/** What a budget allows by the settings, and who comes first where groups share it; `budgetOf` in `stream/groups.ts` names it. */
export interface GroupBudget {
  readonly limits: BudgetLimits;
  /** Of the group; 0 is served first. */
  readonly priority: number;
}

/** A group: one folder in `consumers/`. `Data`: the events' data; `Input`: what the look-up adds for the work. */
export interface GroupDefinition<Data, Input> {
  readonly group: Group;
  /** Validates `data` of an event. Data that it refuses is dead-lettered, reason `malformed`. */
  readonly data: z.ZodType<Data>;
  /** The subject of an event whose entry has none. The event's id if not given. */
  readonly subjectOf?: (data: Data) => string;
  /**
   * Looks up what the work needs, by event id, in one statement per batch. An event that is missing in the answer is
   * cancelled. If it rejects because a store is unavailable, it is called again; by any other error each event is looked
   * up alone, and those for which it still rejects are retried as if the work had thrown. What waits long for its turn is looked up
   * again, each second until its commit point: what is to be cancelled or suppressed by then is not done.
   */
  readonly prepare: (pieces: readonly Piece<Data>[]) => Promise<ReadonlyMap<string, Prepared<Input>>>;
  /**
   * Does one piece of work. If it throws, it is uncertain after its commit point, unless it is idempotent; else
   * `unavailable` if a store or a connection failed, and a retry if not.
   */
  readonly work: (claim: Claim<Data>, input: Input, attempt: Attempt) => Promise<Outcome>;
  readonly policy: Policy;
  /** The system that the work is done in or by, for people: `receiver crm at hooks.example`. */
  readonly system?: string;
  /** Limits that the other system sets; the group reads no more than that. Only its policy limits it if not given. */
  readonly capacity?: Capacity;
  /** How much of the work begins, in all consumers together; unlimited if not given. An operator may order another rate. */
  readonly budget?: GroupBudget | undefined;
  /** Closes the resources of the work when its consumer ends. */
  readonly close?: () => Promise<void>;
}
