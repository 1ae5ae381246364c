import type { z } from "zod";
import type { Group } from "../../stream/groups.ts";

/*
 * What a group brings along: the contract between the engine, which knows nothing of the work, and the work, which knows
 * nothing of streams, claims and retries.
 */

/** One event, as the look-up of a group sees it. */
export interface Piece<Data> {
  readonly eventId: string;
  readonly type: string;
  readonly data: Data;
}

/** What the look-up found for one event. */
export type Prepared<Input> =
  | { readonly kind: "ready"; readonly input: Input }
  /** There is nothing to do, or nobody to do it for, any more. */
  | { readonly kind: "cancel"; readonly reason: string }
  /** It must not be done. */
  | { readonly kind: "suppress"; readonly reason: string };

/** One event that this consumer, and nobody else, may work on now. */
export interface Claim<Data> extends Piece<Data> {
  /** Attempts used up before this one. */
  readonly attempts: number;
  /** Times that nobody could know whether the effect took place: the work may have been done already. */
  readonly uncertain: number;
  /** Since the event was committed, in ms, when it was claimed. */
  readonly ageMs: number;
  /** Of the event, for work that takes the trace further. */
  readonly traceparent: string;
}

/** What the work may ask while it runs. */
export interface Attempt {
  /** Aborted: end the attempt, unless it is past its commit point. The reason says who asked. */
  readonly signal: AbortSignal;
  /**
   * To be asked once, in the moment before the effect can no longer be called back. False: it must not take place; return
   * `released`.
   */
  commit(): boolean;
}

/** What became of one attempt. A new kind does not compile until every switch over it has decided. */
export type Outcome =
  /** The effect took place. `receipt`: what it is known by outside; `reply`: the other side's words, addresses removed. */
  | { readonly kind: "done"; readonly receipt?: string; readonly reply?: string }
  /** A working system said "later" of this piece. Uses up an attempt. */
  | { readonly kind: "transient"; readonly reason: string; readonly reply?: string; readonly minDelayMs?: number }
  /** The system failed, whatever the piece. Counts for the breaker, uses up no attempt. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly reply?: string }
  /**
   * Refused for good. `party`: whoever refused for a reason of its own (a domain, a host); many of them in a row open the
   * breaker. Without one, the piece itself is at fault. Without `reply`, nobody was asked.
   */
  | { readonly kind: "rejected"; readonly reason: string; readonly reply?: string; readonly party?: string }
  /** Cut off after the commit point: nobody knows. Uses up an attempt. */
  | { readonly kind: "uncertain"; readonly reason: string }
  /** Given up unharmed, before the commit point: asked to stop, or the lease was lost. */
  | { readonly kind: "released"; readonly reason: string };

/** How a group wants its work to be done. */
export interface Policy {
  /** Doing the work twice has the effect of doing it once. Then a lease that ran out is no possible duplicate. */
  readonly isIdempotent: boolean;
  /** One piece of work for each subject, whatever the event's id: a second event of a subject, made by hand, is cancelled. */
  readonly oncePerSubject: boolean;
  /** Pieces that one consumer works on at a time. */
  readonly concurrency: number;
  /** Attempts after the first. */
  readonly retryMax: number;
  /** Delay before the first retry, in ms; doubles with each. */
  readonly retryDelayMs: number;
  /** What is not final after so long is dead, reason `expired`, in ms; never if not given. */
  readonly expireAfterMs?: number;
  /** When nobody can know whether the effect took place: try again, or hold it for an operator. */
  readonly uncertain: "resend" | "hold";
}

/** A group: one folder in `consumers/`, `Data` what its events carry, `Input` what its work needs beside. */
export interface GroupDefinition<Data, Input> {
  readonly group: Group;
  /** Reads `data` of an event. What it refuses is a dead letter, reason `malformed`. */
  readonly data: z.ZodType<Data>;
  /** What an event is about, where whoever wrote the entry left it out. The event's id if not given. */
  readonly subjectOf?: (data: Data) => string;
  /**
   * Looks up what the work needs, one statement for the batch, by event id. An event that is missing in the answer is
   * cancelled. Rejects if the store is away: it is asked again.
   */
  readonly prepare: (pieces: readonly Piece<Data>[]) => Promise<ReadonlyMap<string, Prepared<Input>>>;
  /** Does one piece of work. What it throws is a retry before its commit point, and uncertain after it. */
  readonly work: (claim: Claim<Data>, input: Input, attempt: Attempt) => Promise<Outcome>;
  readonly policy: Policy;
  /** Closes what the work keeps open, when its consumer ends. */
  readonly close?: () => Promise<void>;
}
