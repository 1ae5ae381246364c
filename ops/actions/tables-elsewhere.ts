import type { TablesElsewhere } from "../../database/tables-elsewhere.ts";

/** A migration would make a second, empty set of tables. */
export const CORRECT_SEARCH_PATH = "do not migrate; correct search_path, of the role, the database or the server";

/** What is said of tables that a connection does not find. */
export const wordsOfTablesElsewhere = ({ schema, searchPath }: TablesElsewhere): string =>
  `The tables are in the schema ${schema}, where search_path (${searchPath}) does not lead`;
