import { randomHex } from "../../observability/trace-context.ts";
import { COUNTS, type Limit, type LimitAnswer, type LimitedRequest } from "../../stream/scripts/take-limits.ts";
import type { InProcessLimits } from "./in-process.ts";

export const START = 1_800_000_000_000;
export const KEEP_MS = 3_600_000;
export const MINUTE_MS = 60_000;

export const PERSON: Limit = {
  quota: 5,
  periodMs: MINUTE_MS,
  counts: COUNTS.newMember + COUNTS.sameMember,
  isOfRecord: false,
};
export const REPEAT: Limit = { quota: 2, periodMs: MINUTE_MS, counts: COUNTS.sameToken, isOfRecord: false };
export const BOX: Limit = { quota: 2, periodMs: 60 * MINUTE_MS, counts: COUNTS.newMember, isOfRecord: true };
export const ODD: Limit = { quota: 7, periodMs: MINUTE_MS, counts: COUNTS.newMember, isOfRecord: false };
export const LIMITS = [PERSON, REPEAT, BOX, ODD];

export const taking = (limits: InProcessLimits) => (request: LimitedRequest) => {
  const decision = limits.decide(request);
  decision.commit();
  return decision.answer;
};

/** Requests with keys of a test's own; the record is that of the box, or one of the member alone. */
export const builder = () => {
  const prefix = `test-${randomHex(6)}`;
  return (member: string, takes: readonly (readonly [Limit, string])[], token = ""): LimitedRequest => ({
    record: `${prefix}:${takes.find(([limit]) => limit === BOX)?.[1] ?? `of ${member}`}`,
    member,
    token,
    takes: takes.map(([limit, key]) => ({
      limit,
      key: limit === BOX ? undefined : `${prefix}:${LIMITS.indexOf(limit)}:${key}`,
    })),
  });
};

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
export const kinds = (answers: readonly LimitAnswer[]) => answers.map(({ kind }) => kind);
export const refusal = (by: number, waitMs: number): LimitAnswer => ({ kind: "refused", by, waitMs });
