import { type Database, statement } from "../connection.ts";

/** A paused group. */
export interface Pause {
  readonly group: string;
  /** Why, if the group paused itself; null: somebody paused it. */
  readonly reason: string | null;
  readonly pausedAt: Date;
  /** `ops`, the name of a consumer, or `redis` if the pause was found in Redis only. */
  readonly by: string;
}

export type NewPause = Omit<Pause, "pausedAt">;

/** The pauses of a database. */
export interface Pauses {
  /** False if the group was paused already: then its reason stays. */
  save(pause: NewPause): Promise<boolean>;
  /** False if it was not paused. */
  remove(group: string): Promise<boolean>;
  /** The paused groups, by name. */
  list(): Promise<readonly Pause[]>;
  has(group: string): Promise<boolean>;
}

const save = statement<{ group_name: string }, [string, string | null, string]>(`
  insert into paused_groups (group_name, reason, paused_by) values ($1::text, $2::text, $3::text)
  on conflict (group_name) do nothing
  returning group_name`);

const remove = statement<{ group_name: string }, [string]>(`
  delete from paused_groups where group_name = $1::text returning group_name`);

interface PauseRow {
  readonly group_name: string;
  readonly reason: string | null;
  readonly paused_at: Date;
  readonly paused_by: string;
}

const list = statement<PauseRow, []>("select group_name, reason, paused_at, paused_by from paused_groups order by 1");

const find = statement<{ group_name: string }, [string]>(`
  select group_name from paused_groups where group_name = $1::text`);

export const pausesOf = (db: Database): Pauses => ({
  save: async ({ group, reason, by }) => (await save(db, group, reason, by)).length === 1,
  remove: async (group) => (await remove(db, group)).length === 1,
  list: async () =>
    (await list(db)).map((row) => ({
      group: row.group_name,
      reason: row.reason,
      pausedAt: row.paused_at,
      by: row.paused_by,
    })),
  has: async (group) => (await find(db, group)).length === 1,
});
