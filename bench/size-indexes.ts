import { type Database, statement } from "../database/connection.ts";

interface Index {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  /** Of a primary key or a unique column; null: it is an index alone. */
  readonly constraint: string | null;
}

const list = statement<Index, [readonly string[]]>(`
  select pg_class.relname as "table", index.relname as name, pg_get_indexdef(index.oid) as definition,
    pg_get_constraintdef(pg_constraint.oid) as constraint
  from pg_index join pg_class index on index.oid = indexrelid join pg_class on pg_class.oid = indrelid
    left join pg_constraint on conindid = indexrelid and contype in ('p', 'u')
  where pg_class.relnamespace = 'public'::regnamespace and indpred is null
    and pg_class.relname in (select value from json_array_elements_text($1::json))
  order by index.oid`);

const run = (db: Database, sql: string): Promise<unknown> => statement<never, []>(sql)(db);

/** Of pages that are split when they are full, wherever in the index the next row falls, so much is in use. */
const RANDOM_FILL = 70;
/** What is neither an id nor a time has no order in time. */
const isRandom = ({ constraint }: Index): boolean => constraint?.startsWith("UNIQUE") === true;

/**
 * Fills tables without their indexes, and makes these afterwards: sorted once, instead of row by row. Those whose rows come in no order
 * are left as full as if they had been filled so. Indexes of a part of a table stay: they have few rows, and each would read all of it.
 */
export const withoutIndexes = async (
  db: Database,
  tables: readonly string[],
  fill: () => Promise<void>,
): Promise<void> => {
  const indexes = await list(db, tables);
  for (const { table, name, constraint } of indexes) {
    await run(db, constraint === null ? `drop index ${name}` : `alter table ${table} drop constraint ${name}`);
  }
  await fill();
  for (const index of indexes) {
    const { table, name, definition, constraint } = index;
    const fillfactor = isRandom(index) ? ` with (fillfactor = ${RANDOM_FILL})` : "";
    await run(
      db,
      constraint === null ? definition : `alter table ${table} add constraint ${name} ${constraint}${fillfactor}`,
    );
    if (isRandom(index)) await run(db, `alter index ${name} reset (fillfactor)`);
  }
};
