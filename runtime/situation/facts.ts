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
    readonly words?: string | undefined;
    readonly probeInMs?: number | undefined;
  };
  /** The other system, for people: `mail server smtp.example:587`. */
  readonly system?: string | undefined;
  readonly granted?: { readonly allowed: number; readonly words?: string | undefined } | undefined;
  readonly ratePerSecond?: number | undefined;
  /** Parties that refuse or defer everything, and so wait. */
  readonly waitingParties: number;
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

/** What is known of one group. */
export interface GroupFacts {
  readonly group: string;
  /** null: the group is not paused; else why, or "an operator". */
  readonly pausedBy: string | null;
  /** Both of its streams exist. */
  readonly exists: boolean;
  /** Unfinished deliveries that are not held and do not wait for the group's delay, up to a bound; undefined: not asked. */
  readonly unfinished: Waiting | undefined;
  /** Age of the oldest unread or pending entry. */
  readonly oldestMs: number;
  /** Held deliveries, by reason. */
  readonly held: readonly HeldFacts[];
  readonly dead: number;
  readonly consumers: readonly ConsumerFacts[];
  /** Finished in the last hour. */
  readonly lastHour: { readonly total: number; readonly medianMs: number | undefined };
}

/** A store: what keeps it from its work, in a few words; undefined: it works. */
export type StoreFault = string | undefined;

/** What is known of the whole system. */
export interface Facts {
  readonly now: Date;
  readonly postgres: StoreFault;
  readonly redis: StoreFault;
  readonly outbox: { readonly rows: number; readonly oldestMs: number };
  /** Redis' clock minus Postgres'. */
  readonly clockDifferenceMs: number;
  readonly groups: readonly GroupFacts[];
  /** What keeps loops of the process that asks from their work, by loop. */
  readonly loops?: Readonly<Record<string, string>>;
}

/** Between two signs of life of a consumer, in ms. */
export const SIGN_OF_LIFE_EVERY_MS = 3_000;
/** A consumer that has been silent for so long is dead, or cannot reach Redis. */
const SILENT_MS = 5 * SIGN_OF_LIFE_EVERY_MS;
/** A sign that is late is not missed: two in a row are. */
const MISSED_MS = 2 * SIGN_OF_LIFE_EVERY_MS;

/** Whether a consumer has been silent for too long to be working. */
export const isSilent = ({ silentMs }: { readonly silentMs: number }): boolean => silentMs >= SILENT_MS;

/** Whether a consumer may have stopped: what it said last is not known to be true any more. */
export const missesSigns = ({ silentMs }: { readonly silentMs: number }): boolean => silentMs > MISSED_MS;
