import type { ColumnType, Generated } from "kysely";

/** `paused_groups`: groups that read nothing until they are resumed. Redis has a copy. */
export interface PausedGroupsTable {
  group_name: string;
  /** Why, if it paused itself. */
  reason: string | null;
  paused_at: Generated<Date>;
  /** Who: `ops`, a consumer, or `redis` if it was found there only. */
  paused_by: string;
}

/** `ordered_rates`: rates that operators ordered instead of those of the settings. Redis has a copy. */
export interface OrderedRatesTable {
  /** What shares the rate: a group's name, or that of a budget that groups share. */
  budget: string;
  per_second: number;
  ordered_at: Generated<Date>;
  ordered_by: string;
}

/** `console_sign_outs`: sessions of the console that were ended before their time. */
export interface ConsoleSignOutsTable {
  role: string;
  name: string;
  /** Empty: all sessions of that name and role that began before. */
  session_id: string;
  ended_at: Date;
  /** When the last session that it ends would be over by itself. */
  expires_at: Date;
}

/** `ledger_pruning`: one row: the last look for events that are older than the ledger's retention. */
export interface LedgerPruningTable {
  is_only: boolean;
  /** Of the api that looked. */
  retention_ms: number;
  looked_at: Date;
  /** When something was deleted last; null: never. */
  removed_at: Date | null;
  /** How much that was. */
  events: number;
  deliveries: number;
}

/** `audit_log`: what operators did. Nothing personal but the operators' own names. */
export interface AuditLogTable {
  action_id: string;
  begun_at: Generated<Date>;
  actor: string;
  /** `ops`, `console` */
  surface: string;
  host: string;
  action: string;
  arguments: ColumnType<unknown, unknown, never>;
  group_name: string | null;
}

/**
 * How an action of an operator ended: `nothing` if there was nothing to change, `stopped` if they ended it after a batch,
 * `interrupted` if its process had to leave before it ended.
 */
export type AuditOutcome = "done" | "nothing" | "stopped" | "failed" | "interrupted";

/** `audit_outcomes`: how it ended. Missing while it runs, and if its process was killed. */
export interface AuditOutcomesTable {
  action_id: string;
  ended_at: Generated<Date>;
  outcome: AuditOutcome;
  affected: number;
  event_ids: ColumnType<readonly string[], readonly string[], never>;
  error: string | null;
}

/** `jobs`: what operators started over many deliveries. Each runs in the process that started it; kept for 30 days. */
export interface JobsTable {
  /** UUIDv7 */
  job_id: string;
  actor: string;
  /** `retry` */
  action: string;
  /** Which deliveries. */
  selection: ColumnType<unknown, unknown, never>;
  /** How many the preview has counted. */
  total: number;
  /** Looked at so far. */
  done: Generated<number>;
  /** What became of how many. */
  outcomes: ColumnType<Readonly<Record<string, number>>, undefined, Readonly<Record<string, number>>>;
  /** Who asked for it to stop; null: nobody. */
  stop_asked_by: string | null;
  begun_at: Generated<Date>;
  /** Its process was alive then. */
  beat_at: Generated<Date>;
  ended_at: Date | null;
  /** Why it ended before its end, if nobody stopped it. */
  error: string | null;
}
