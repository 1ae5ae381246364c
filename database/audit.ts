import { type Database, statement } from "./connection.ts";
import type { AuditOutcome } from "./operators-schema.ts";

/** Values of an argument in the log; nothing personal. */
export type AuditedValue = string | number | boolean;

/** An action that an operator begins. */
export interface BegunAction {
  /** UUIDv7 */
  readonly actionId: string;
  /** Who: what they call themselves, and the user of the system. */
  readonly actor: string;
  /** Through what: `ops`, `console`. */
  readonly surface: string;
  /** From where. */
  readonly host: string;
  /** What: `dead retry`. */
  readonly action: string;
  readonly arguments: Readonly<Record<string, AuditedValue>>;
  readonly group: string | null;
}

export interface EndedAction {
  readonly actionId: string;
  readonly outcome: AuditOutcome;
  /** How much was changed, in what the action counts. */
  readonly affected: number;
  /** On what: the first of the events, or of the users. */
  readonly eventIds: readonly string[];
  /** Name or code of the error; null: none. */
  readonly error: string | null;
}

/** An action of the log. Without an end it is unknown what became of it: it still runs, or its process was killed. */
export interface AuditedAction extends BegunAction {
  readonly begunAt: Date;
  readonly end: (Omit<EndedAction, "actionId"> & { readonly endedAt: Date }) | null;
}

export const beginAction = async (db: Database, begun: BegunAction): Promise<void> => {
  const { actionId, actor, surface, host, action, group } = begun;
  await db
    .insertInto("audit_log")
    .values({ action_id: actionId, actor, surface, host, action, arguments: begun.arguments, group_name: group })
    .execute();
};

export const endAction = async (
  db: Database,
  { actionId, outcome, affected, eventIds, error }: EndedAction,
): Promise<void> => {
  await db
    .insertInto("audit_outcomes")
    .values({ action_id: actionId, outcome, affected, event_ids: eventIds, error })
    // What was said first stays.
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

interface Row {
  readonly action_id: string;
  readonly begun_at: Date;
  readonly actor: string;
  readonly surface: string;
  readonly host: string;
  readonly action: string;
  readonly arguments: Readonly<Record<string, AuditedValue>>;
  readonly group_name: string | null;
  readonly ended_at: Date | null;
  readonly outcome: AuditOutcome | null;
  readonly affected: number | null;
  readonly event_ids: readonly string[] | null;
  readonly error: string | null;
}

const list = statement<Row, [string | null, string | null, string | null, Date | null, number, string | null]>(`
  select audit_log.*, ended_at, outcome, affected, event_ids, error
  from audit_log left join audit_outcomes using (action_id)
  where ($1::text is null or action = $1::text or action like $1::text || ' %')
    and ($2::text is null or actor = $2::text or actor like $2::text || ' (%')
    and ($3::text is null or group_name = $3::text)
    and ($4::timestamptz is null or begun_at >= $4::timestamptz)
    and ($6::uuid is null or (begun_at, action_id) < (select begun_at, action_id from audit_log where action_id = $6::uuid))
  order by begun_at desc, action_id desc limit $5::int`);

/** Which actions are asked for. */
export interface AuditFilter {
  /** `dead retry`, or `dead` for all of that group of commands. */
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly group?: string | undefined;
  readonly since?: Date | undefined;
  /** Only those before this one, by its id. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** The actions of the log, the latest first. */
export const listActions = async (
  db: Database,
  { action, actor, group, since, before, limit }: AuditFilter,
): Promise<readonly AuditedAction[]> =>
  (await list(db, action ?? null, actor ?? null, group ?? null, since ?? null, limit, before ?? null)).map((row) => ({
    actionId: row.action_id,
    begunAt: row.begun_at,
    actor: row.actor,
    surface: row.surface,
    host: row.host,
    action: row.action,
    arguments: row.arguments,
    group: row.group_name,
    end: endOf(row),
  }));

const endOf = ({ ended_at: endedAt, outcome, affected, event_ids: eventIds, error }: Row): AuditedAction["end"] =>
  endedAt === null || outcome === null
    ? null
    : { endedAt, outcome, affected: affected ?? 0, eventIds: eventIds ?? [], error };
