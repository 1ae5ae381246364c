import type { StoreAway } from "../store-answers.ts";

/** What is known of one consumer of a group; see `ConsumerReport`. */
export interface ConsumerFacts {
  readonly name: string;
  /** Since its last sign of life. */
  readonly silentMs: number;
  readonly breaker: {
    readonly state: "closed" | "open" | "recovering";
    /** ISO 8601, UTC. */
    readonly since: string;
    readonly reason?: string | undefined;
    /** Since it failed for that reason, in ms, when it gave its last sign of life; not given: it does not say. */
    readonly reasonAgeMs?: number | undefined;
    readonly words?: string | undefined;
    readonly probeInMs?: number | undefined;
  };
  /** The other system, for people: `mail server smtp.example:587`. */
  readonly system?: string | undefined;
  readonly granted?:
    | {
        readonly allowed: number;
        /** For how long it has had room for none, in ms. */
        readonly nothingForMs?: number | undefined;
        readonly words?: string | undefined;
        /** What it said when it had room for none, and spoke of no limit. */
        readonly refusal?: string | undefined;
      }
    | undefined;
  readonly ratePerSecond?: number | undefined;
  /** Entries that it has read and not acked. */
  readonly pending: number;
  /** Pieces that it works on. */
  readonly inFlight: number;
  /** Entries that it has read, and does not work on yet, because much like them failed lately; not given: none. */
  readonly kept?: number | undefined;
  /** Parties that refuse or defer everything, and so wait. */
  readonly waitingParties: number;
  /** The last words of one of them. */
  readonly partyWords?: string | undefined;
  /** What keeps it from its work, and since when. */
  readonly faults: Readonly<Record<string, string>>;
}

/** How much waits: exactly, or at least so much. */
export interface Waiting {
  readonly count: number;
  readonly isBound: boolean;
}

/** Deliveries that are held for a reason. */
export interface HeldFacts {
  readonly reason: string;
  readonly count: number;
  /** When the first of them is released by itself; null: they wait for an operator. */
  readonly firstUntil: Date | null;
}

/** Deliveries that wait for their next attempt for a reason. */
export interface RetryingFacts extends Waiting {
  readonly reason: string;
  readonly firstAt: Date;
}

/** Addresses that were suppressed within the last hour for a reason. */
export interface SuppressedFacts extends Waiting {
  readonly reason: string;
  readonly firstAt: Date;
}

/** A rate that an operator ordered. */
export interface OrderedFacts {
  readonly by: string;
  readonly at: Date;
}

/** What is known of one group. */
export interface GroupFacts {
  readonly group: string;
  /** null: the group is not paused; else who did it, and why if the group did it itself. */
  readonly pausedBy: string | null;
  /** null: it is not paused, or nobody knows. */
  readonly pausedAt: Date | null;
  /** Why, if the group paused itself. */
  readonly pausedFor?: string | null;
  /** undefined: none, so that the settings of its consumers are in force. */
  readonly ordered: OrderedFacts | undefined;
  /** Both of its streams exist. */
  readonly exists: boolean;
  /** Unfinished deliveries that are not held and do not wait for the group's delay, up to a bound; undefined: not asked. */
  readonly unfinished: Waiting | undefined;
  /** Deliveries that wait until the group's delay is over. */
  readonly delayed: Waiting;
  /** Those that wait for their next attempt, by reason. */
  readonly retrying: readonly RetryingFacts[];
  /** Unfinished deliveries of which Redis has no entry, as after a flush; not given: not asked. */
  readonly notInRedis?: number;
  /** Age of the oldest unread or pending entry. */
  readonly oldestMs: number;
  /** Held deliveries, by reason. */
  readonly held: readonly HeldFacts[];
  readonly dead: number;
  /** ISO 8601, UTC. undefined: there is none. */
  readonly latestDead: { readonly at: string; readonly reason: string } | undefined;
  /** Consumers that gave a sign of life within the last hour. */
  readonly consumers: readonly ConsumerFacts[];
  /** Entries that others had read, and have not acked. */
  readonly strayEntries: number;
  /** Finished in the last hour. */
  readonly lastHour: { readonly total: number; readonly medianMs: number | undefined };
}

/** A store: what keeps it from its work, in a few words; undefined: it works. */
export type StoreFault = string | undefined;

/** Work on many deliveries that an operator began, and that runs or did not come to its end. */
export interface JobFacts {
  readonly action: string;
  readonly by: string;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  readonly at: Date;
}

/** What Postgres refused a write with that this process asked for, though it answers. */
export interface WriteRefusal {
  /** In words that anybody may read. */
  readonly fault: string;
  readonly since: Date;
  /** The last time. */
  readonly at: Date;
}

/** What keeps an api from its work, as it says itself; of one that is well, nothing. */
export interface ApiFacts {
  readonly name: string;
  readonly postgres: StoreAway | undefined;
  readonly refusal: WriteRefusal | undefined;
  /** By loop: what, and since when. */
  readonly loops: Readonly<Record<string, string>>;
}

/** A table that somebody has locked as a whole for a while. */
export interface TableLockFacts {
  readonly table: string;
  readonly heldMs: number;
  /** The process of Postgres that must end its transaction, and what it is called. */
  readonly pid: number;
  readonly holder: string;
}

/** What is known of the whole system. */
export interface Facts {
  readonly now: Date;
  /** Who asks, if it knows only what its own stores answer it: `this consumer`. */
  readonly asker?: string;
  /** Who asks is none of those that work: a store that does not answer it may answer them. */
  readonly isOnlooker?: boolean;
  readonly postgres: StoreFault;
  readonly redis: StoreFault;
  readonly outbox: { readonly rows: number; readonly oldestMs: number };
  /** Redis' clock minus Postgres'. */
  readonly clockDifferenceMs: number;
  readonly groups: readonly GroupFacts[];
  /** Bytes; `most` is 0 if there is no limit. */
  readonly redisMemory?: { readonly used: number; readonly most: number };
  /** Whether Redis could write its log, and its last snapshot. undefined: not asked. */
  readonly redisAppends?: boolean;
  /** Whether Redis has none of the replicas without which it refuses writes. undefined: not asked. */
  readonly redisLacksReplicas?: boolean;
  readonly redisSaves?: boolean;
  readonly suppressed?: readonly SuppressedFacts[];
  /** When an api last looked for old events. undefined: they are kept for good. */
  readonly pruning?: { readonly lookedAt: Date; readonly retentionMs: number } | undefined;
  readonly jobs?: readonly JobFacts[];
  /** Streams to which Redis adds nothing any more, since they have had the highest id; the group, if it is one's retries stream. */
  readonly ended?: readonly { readonly key: string; readonly group: string | null }[];
  readonly tableLock?: TableLockFacts | undefined;
  /** What keeps loops of the process that asks from their work, by loop. */
  readonly loops?: Readonly<Record<string, string>>;
  /** Apis that have reported within the last seconds; not given: not asked, or nobody could. */
  readonly apis?: readonly ApiFacts[];
  /** Of the process that asks. */
  readonly refusal?: WriteRefusal | undefined;
}

/** What Redis has lost is queued again by then, by default: `RECONCILE_AFTER_MS`, and a turn of the reconciler. */
export const BACK_WITHIN_MS = 90_000;

/** Between two signs of life of a consumer, in ms. */
export const SIGN_OF_LIFE_EVERY_MS = 3_000;
/** A consumer that has been silent for so long is dead, or cannot reach Redis. */
const SILENT_MS = 5 * SIGN_OF_LIFE_EVERY_MS;
const LATE_MS = 1.3 * SIGN_OF_LIFE_EVERY_MS;

/** Whether a consumer's next sign of life is late: what it said last may not be true any more. */
export const isLate = ({ silentMs }: { readonly silentMs: number }): boolean => silentMs > LATE_MS;

/** A sign that is late is not missed: two in a row are. */
export const MISSED_MS = 2 * SIGN_OF_LIFE_EVERY_MS;

/** Whether a consumer has been silent for too long to be working. */
export const isSilent = ({ silentMs }: { readonly silentMs: number }): boolean => silentMs >= SILENT_MS;

export const isLiving = (consumer: ConsumerFacts): boolean => !isSilent(consumer);

/** Whether a consumer may have stopped: what it said last is not known to be true any more. */
export const missesSigns = ({ silentMs }: { readonly silentMs: number }): boolean => silentMs > MISSED_MS;
