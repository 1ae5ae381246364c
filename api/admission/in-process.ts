import { createRecent, type Recent } from "../../runtime/recent.ts";
import {
  answerToFirst,
  CANONICAL,
  COUNTS,
  countsFirst,
  intervalOf,
  type Limit,
  type LimitAdmission,
  type LimitAnswer,
  type LimitedRequest,
  type LimitRefusal,
  leftOf,
} from "../../stream/scripts/take-limits.ts";

/** What a process decides on a request. */
export interface Decision {
  readonly answer: LimitAnswer;
  /** Whether every limit has so much left that a few processes, each by itself, could not exceed it. */
  readonly isFarFromLimits: boolean;
  /** Whether the request is known as a repeat. */
  readonly isRepeated: boolean;
  /** Takes one from each limit, if it is admitted. */
  commit(): void;
}

/** The limits of one process: the rule of `take-limits.lua`, by what this process has admitted and has learned of others. */
export interface InProcessLimits {
  decide(request: LimitedRequest): Decision;
  /**
   * Admits what nobody has asked for before, where its record's own limit alone counts it: as `decide` and `commit` would, in a tenth of the
   * time. Undefined: decide on it.
   */
  admitFirst(record: string): LimitAdmission | undefined;
  /** Refuses, from now on, as all processes together have refused this request. */
  learn(request: LimitedRequest, refusal: LimitRefusal): void;
}

export interface InProcessOptions {
  readonly now: () => number;
  /** How long a record is kept after the last request that was admitted. */
  readonly keepMs: number;
  /** The limit of each record itself, if there is one. */
  readonly ofRecord?: Limit | undefined;
  /** Most limits and most records that are kept; beyond, the oldest are forgotten. */
  readonly maxKeys?: number;
}

const MAX_KEYS = 50_000;
const LONGEST_RECORD = 1_024;
/** A limit is far while no more than this share of it is used, or one. */
const FAR_SHARE = 1 / 8;

interface Expiring {
  readonly endsAt: number;
}

interface RequestRecord extends Expiring {
  /** When its own limit is whole again. */
  readonly wholeAt: number;
  /** ` member=token` of each, the latest last. A text, because there may be 50,000 of them. */
  readonly members: string;
}

/**
 * A record; or, of what was admitted once, as its first and by its own limit alone, when that was. Nearly all of the 50,000 are such, and
 * each object would be looked at by the collector again and again.
 */
type Remembered = RequestRecord | number;

/** A limit that counts a request, and what it would be with it. */
interface Counted {
  readonly limit: Limit;
  readonly key: string | undefined;
  readonly position: number;
  readonly intervalMs: number;
  readonly wholeAfterMs: number;
}

const NEVER: RequestRecord = { endsAt: 0, wholeAt: 0, members: "" };

/** The token of a member; undefined: there is no such member. */
const tokenOf = (members: string, member: string): string | undefined => {
  if (members === "") return undefined;
  const named = ` ${member}=`;
  const at = members.indexOf(named);
  if (at < 0) return undefined;
  const from = at + named.length;
  const to = members.indexOf(" ", from);
  return to < 0 ? members.slice(from) : members.slice(from, to);
};

/** With a member as the latest. `known`: its token so far. */
const withMember = (members: string, member: string, token: string, known: string | undefined): string => {
  const others = known === undefined ? members : members.replace(` ${member}=${known}`, "");
  let all = `${others} ${member}=${token}`;
  while (all.length > LONGEST_RECORD) all = all.slice(Math.max(1, all.indexOf(" ", 1)));
  return all;
};

/** How much too early the request is; less than a ms is rounding. */
const earlyMs = ({ limit, wholeAfterMs }: Counted): number => {
  const early = wholeAfterMs - limit.periodMs;
  return early >= 1 ? Math.ceil(early) : 0;
};

const isFar = ({ limit, intervalMs, wholeAfterMs }: Counted): boolean =>
  wholeAfterMs < intervalMs * Math.max(1, limit.quota * FAR_SHARE) + 1;

const answerTo = (counted: readonly Counted[]): LimitAnswer => {
  let refusal: LimitRefusal | undefined;
  for (const each of counted) {
    const waitMs = earlyMs(each);
    if (waitMs > (refusal?.waitMs ?? 0)) refusal = { kind: "refused", by: each.position, waitMs };
  }
  if (refusal !== undefined) return refusal;
  const [first] = counted;
  return first?.position === 0
    ? { kind: "admitted", left: leftOf(first.limit, first.wholeAfterMs) }
    : { kind: "admitted" };
};

interface Stores {
  readonly limits: Recent<Expiring>;
  readonly records: Recent<Remembered>;
  readonly keepMs: number;
}

/** What a decision was made of. */
interface Basis {
  readonly request: LimitedRequest;
  readonly now: number;
  readonly record: RequestRecord;
  /** The token of the request's member so far. */
  readonly known: string | undefined;
  readonly counted: readonly Counted[];
  readonly isRepeated: boolean;
}

/** A class: what is made for every request is as little as can be. */
class OwnDecision implements Decision {
  readonly #stores: Stores;
  readonly #basis: Basis;
  readonly answer: LimitAnswer;
  readonly isFarFromLimits: boolean;
  readonly isRepeated: boolean;

  constructor(stores: Stores, basis: Basis) {
    this.#stores = stores;
    this.#basis = basis;
    this.answer = answerTo(basis.counted);
    this.isFarFromLimits = basis.counted.every(isFar);
    this.isRepeated = basis.isRepeated;
  }

  commit(): void {
    if (this.answer.kind === "refused") return;
    const { limits, records, keepMs } = this.#stores;
    const { request, now, record, known, counted } = this.#basis;
    let { wholeAt } = record;
    for (const { key, wholeAfterMs } of counted) {
      if (key === undefined) wholeAt = now + wholeAfterMs;
      else limits.set(key, { endsAt: now + wholeAfterMs });
    }
    const members = withMember(record.members, request.member, request.token, known);
    records.set(request.record, { endsAt: now + keepMs, wholeAt, members });
  }
}

export const createInProcessLimits = (options: InProcessOptions): InProcessLimits => {
  const { now: clock, keepMs, ofRecord, maxKeys = MAX_KEYS } = options;
  /** They end when they are whole again. */
  const limits = createRecent<Expiring>(maxKeys);
  const records = createRecent<Remembered>(maxKeys);

  const stores: Stores = { limits, records, keepMs };
  const first = ofRecord !== undefined && countsFirst(ofRecord) ? answerToFirst(ofRecord) : undefined;
  const firstIntervalMs = ofRecord === undefined ? 0 : intervalOf(ofRecord);

  const recordOfFirst = (at: number): RequestRecord => ({
    endsAt: at + keepMs,
    wholeAt: at + firstIntervalMs,
    members: withMember("", CANONICAL, "", undefined),
  });

  const recordOf = (key: string, now: number): RequestRecord => {
    const known = records.get(key);
    const record = typeof known === "number" ? recordOfFirst(known) : known;
    return record !== undefined && record.endsAt > now ? record : NEVER;
  };

  const wholeAtOf = (record: RequestRecord, key: string | undefined): number =>
    key === undefined ? record.wholeAt : (limits.get(key)?.endsAt ?? 0);

  return {
    decide(request) {
      const { record: recordKey, member, token, takes } = request;
      const now = clock();
      const record = recordOf(recordKey, now);
      const known = tokenOf(record.members, member);
      const isRepeated = token !== "" && known === token;
      const who = isRepeated ? COUNTS.sameToken : known === undefined ? COUNTS.newMember : COUNTS.sameMember;

      const counted: Counted[] = [];
      for (let position = 0; position < takes.length; position += 1) {
        const take = takes[position];
        if (take === undefined || (take.limit.counts & who) === 0) continue;
        const { limit, key } = take;
        const intervalMs = intervalOf(limit);
        const wholeAfterMs = Math.max(0, wholeAtOf(record, key) - now) + intervalMs;
        counted.push({ limit, key, position, intervalMs, wholeAfterMs });
      }
      return new OwnDecision(stores, { request, now, record, known, counted, isRepeated });
    },

    admitFirst(record) {
      if (first === undefined) return undefined;
      const now = clock();
      if (recordOf(record, now) !== NEVER) return undefined;
      records.set(record, now);
      return first;
    },

    learn({ record: recordKey, takes }, { by, waitMs }) {
      const refusing = takes[by];
      if (refusing === undefined) return;
      const now = clock();
      const { limit, key } = refusing;
      const record = recordOf(recordKey, now);
      const wholeAt = Math.max(wholeAtOf(record, key), now + waitMs + limit.periodMs - intervalOf(limit));
      if (key === undefined) records.set(recordKey, { ...record, endsAt: now + keepMs, wholeAt });
      else limits.set(key, { endsAt: wholeAt });
    },
  };
};
