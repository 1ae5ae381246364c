import { type Database, statement } from "./connection.ts";

/** Where our tables are, and where a connection looks for them instead. */
export interface TablesElsewhere {
  readonly schema: string;
  readonly searchPath: string;
}

/** Other software has a table `users`, too. The catalog shows what the role may not use; a schema that it may not is passed over in any search_path. */
const find = statement<{ schema: string; search_path: string }, []>(`
  select quote_ident(nspname) as schema, current_setting('search_path') as search_path
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where to_regclass('kysely_migration') is null and has_schema_privilege(nspname, 'usage') and relkind in ('r', 'p')
    and relname in ('kysely_migration', 'users', 'deliveries', 'outbox')
  group by nspname having count(*) = 4
  order by nspname limit 1`);

/** Undefined: this connection finds our tables, or this database has none. */
export const findTablesElsewhere = async (db: Database): Promise<TablesElsewhere | undefined> => {
  const [found] = await find(db);
  return found && { schema: found.schema, searchPath: found.search_path };
};

const WHOSE = "search_path, of the role, the database or the server";

/** What to do about it: `migrate` refuses. */
export const CORRECT_SEARCH_PATH = `do not migrate; correct ${WHOSE}`;

/** What is said of tables that a connection does not find. */
export const wordsOfTablesElsewhere = ({ schema, searchPath }: TablesElsewhere): string =>
  `The tables are in the schema ${schema}, where search_path (${searchPath}) does not lead`;

/** Nothing was migrated, since the tables are elsewhere. */
export class TablesAreElsewhere extends Error {
  override readonly name = "TablesAreElsewhere";
  constructor(found: TablesElsewhere) {
    super(
      `${wordsOfTablesElsewhere(found)}; a second, empty set of them is not made. Correct ${WHOSE}; a second installation has a database of its own`,
    );
  }
}

/** @throws {TablesAreElsewhere} this database has our tables, and this connection does not find them */
export const requireTablesHere = async (db: Database): Promise<void> => {
  const elsewhere = await findTablesElsewhere(db);
  if (elsewhere !== undefined) throw new TablesAreElsewhere(elsewhere);
};
