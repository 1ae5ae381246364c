import { type Database, statement } from "../connection.ts";
import { isLocked, TableLocked } from "../errors.ts";
import { withStep } from "../ledger/timeline.ts";
import { BRIEF_MS, createAwaitRow, sqlLockTimeout } from "../lock-timeout.ts";
import { SQL_UUID } from "../uuid.ts";
import type { DeliveryName } from "./return-path.ts";

/** Who adds these steps to a timeline. */
const BY = "bounces";

/** What became of a delivery after it was done. */
export interface DeliveryReport extends DeliveryName {
  /** The reason of the step: `bounced 5.1.1`, `complained`. */
  readonly step: string;
  /** The mail did not arrive, or was not wanted: the delivery is marked. */
  readonly isFinal: boolean;
  /** Suppresses the address of the user whom the event is about. */
  readonly suppresses: boolean;
  /** The server's words, addresses removed. */
  readonly words: string | null;
}

/** `repeated`: the same was reported before, and nothing is written again. `locked`: somebody else has a row that it needs. */
export type RecordResult =
  | { readonly kind: "recorded"; readonly isSuppressed: boolean }
  | { readonly kind: "repeated" | "locked" }
  | { readonly kind: "no_such_delivery" };

interface InputRow {
  readonly event_id: string;
  readonly group_name: string;
  readonly step: string;
  readonly is_final: boolean;
  readonly suppresses: boolean;
  readonly words: string | null;
}

interface ResultRow {
  readonly event_id: string;
  readonly group_name: string;
  readonly kind: RecordResult["kind"];
  readonly is_suppressed: boolean;
}

/**
 * $1 reports, one at most for each delivery. The state stays as it is: the delivery was handed over. A report that was
 * recorded before is known by its step, so that it adds none, and suppresses nobody whom an operator has lifted since.
 */
const record = (whatIsLocked: "" | "skip locked") =>
  statement<ResultRow, [readonly InputRow[], number]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (
      event_id uuid, group_name text, step text, is_final boolean, suppresses boolean, words text)
    where ${sqlLockTimeout("$2")}),
  locked as (
    select input.*,
      deliveries.timeline @> jsonb_build_array(jsonb_build_object('by', '${BY}', 'reason', input.step)) as is_repeated
    from deliveries join input using (event_id, group_name)
    order by deliveries.event_id, deliveries.group_name
    for update of deliveries ${whatIsLocked}),
  recorded as (
    update deliveries set
      bounced_at = case when is_final then coalesce(deliveries.bounced_at, now()) else deliveries.bounced_at end,
      bounce = case when is_final then step else deliveries.bounce end,
      bounce_reply = case when is_final then words else deliveries.bounce_reply end,
      updated_at = now(),
      timeline = ${withStep("deliveries", { state: "deliveries.state", by: `'${BY}'`, reason: "locked.step" })}
    from locked
    where deliveries.event_id = locked.event_id and deliveries.group_name = locked.group_name and not is_repeated
    returning locked.event_id, locked.step, locked.suppresses),
  to_suppress as (
    select users.email_key, recorded.step, recorded.event_id
    from recorded join events using (event_id)
      join users on users.id = case when events.subject ~ ${SQL_UUID} then events.subject::uuid end
    where suppresses),
  suppressed as (
    insert into suppressions (email_key, reason, event_id) select * from to_suppress order by email_key on conflict do nothing)
  select event_id, group_name,
    case when is_repeated then 'repeated' when not is_repeated then 'recorded'
      when exists (select 1 from deliveries where deliveries.event_id = input.event_id
        and deliveries.group_name = input.group_name) then 'locked' else 'no_such_delivery' end as kind,
    input.suppresses and not is_repeated
      and exists (select 1 from to_suppress where to_suppress.event_id = input.event_id) as is_suppressed
  from input left join locked using (event_id, group_name)`);
const recordAll = record("");
const recordUnlocked = record("skip locked");

const nameOf = ({ eventId, group }: DeliveryName): string => `${eventId} ${group}`;

/** One report of each delivery in a round: a statement updates a row once. */
const inRounds = (reports: readonly DeliveryReport[]): readonly (readonly DeliveryReport[])[] => {
  const ofDeliveries = [...Map.groupBy(reports, nameOf).values()];
  const rounds = Math.max(0, ...ofDeliveries.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => ofDeliveries.flatMap((of) => of[round] ?? []));
};

const toRow = ({ eventId, group, step, isFinal, suppresses, words }: DeliveryReport): InputRow => ({
  event_id: eventId,
  group_name: group,
  step,
  is_final: isFinal,
  suppresses,
  words,
});

const LOCKED: RecordResult = { kind: "locked" };

const toResult = (row: ResultRow | undefined): RecordResult => {
  if (row === undefined) return LOCKED;
  return row.kind === "recorded" ? { kind: row.kind, isSuppressed: row.is_suppressed } : { kind: row.kind };
};

/** For how long rows are searched that need what somebody else has locked; what is not found by then counts as locked. */
const SEARCH_MS = 1_000;

/** Leaves out what is locked: a delivery at once, and by halves an address that somebody else is just suppressing. */
const recordWhatIsFree = async (
  db: Database,
  rows: readonly InputRow[],
  until: number,
): Promise<readonly ResultRow[]> => {
  try {
    return await recordUnlocked(db, rows, BRIEF_MS);
  } catch (error) {
    if (!isLocked(error)) throw error;
    if (rows.length === 1 || performance.now() >= until) return [];
    const half = rows.length >> 1;
    const first = await recordWhatIsFree(db, rows.slice(0, half), until);
    return [...first, ...(await recordWhatIsFree(db, rows.slice(half), until))];
  }
};

/**
 * Records what became of deliveries: a step in the timeline, a mark if it is final, and the suppression of the address, in
 * one statement. A row that somebody else has locked keeps none of the others from being recorded.
 *
 * @throws the driver's error; what was recorded before it is repeated, if the same is reported again
 */
export type RecordReports = (
  db: Database,
  reports: readonly DeliveryReport[],
) => Promise<ReadonlyMap<DeliveryReport, RecordResult>>;

export const createRecordReports = (): RecordReports => {
  const awaitRow = createAwaitRow();
  const recordRows = async (db: Database, rows: readonly InputRow[]): Promise<readonly ResultRow[]> => {
    try {
      return await awaitRow((lockTimeoutMs) => recordAll(db, rows, lockTimeoutMs));
    } catch (error) {
      if (!isLocked(error) || error instanceof TableLocked) throw error;
      return recordWhatIsFree(db, rows, performance.now() + SEARCH_MS);
    }
  };
  return async (db, reports) => {
    const results = new Map<DeliveryReport, RecordResult>();
    const locked = new Set<string>();
    for (const round of inRounds(reports)) {
      // Reports of one delivery are recorded in their order.
      const open = round.filter((report) => !locked.has(nameOf(report)));
      const recorded = open.length === 0 ? [] : await recordRows(db, open.map(toRow));
      const rows = new Map(recorded.map((row) => [`${row.event_id} ${row.group_name}`, row]));
      for (const report of round) {
        const result = toResult(rows.get(nameOf(report)));
        results.set(report, result);
        if (result.kind === "locked") locked.add(nameOf(report));
      }
    }
    return results;
  };
};
