const COMMENT = /--[^\n]*/g;
const LITERAL = /'(?:[^']|'')*'/g;
/** What a WITH names: no tables, only steps. */
const STEP = /([a-z_]\w*)\s+as\s+(?:not\s+)?(?:materialized\s+)?\(/gi;
const WRITE = /\b(?:(insert)\s+into|(delete)\s+from|(?<!for\s)(?<!do\s)(update))\s+(?:only\s+)?"?([a-z_]\w*)"?/gi;
const READ = /\b(?:from|join)\s+(?:only\s+)?"?([a-z_]\w*)\b"?(?!\s*\()/gi;
const FIRST_WORD = /^\s*\(*\s*([a-z]+)/i;
const MAX_LENGTH = 255;
const MAX_KEPT = 500;

const summarise = (sql: string): string => {
  const text = sql.replace(COMMENT, " ").replace(LITERAL, "''");
  const steps = new Set([...text.matchAll(STEP)].map(([, name = ""]) => name.toLowerCase()));
  const isTable = (name: string) => !steps.has(name.toLowerCase());
  const writes = [...text.matchAll(WRITE)].flatMap(([, insert, remove, update, table = ""]) =>
    isTable(table) ? [`${(insert ?? remove ?? update ?? "").toUpperCase()} ${table}`] : [],
  );
  if (writes.length > 0) return [...new Set(writes)].join(" ").slice(0, MAX_LENGTH);
  const tables = [...text.matchAll(READ)].flatMap(([, table = ""]) => (isTable(table) ? [table] : []));
  const word = FIRST_WORD.exec(text)?.[1]?.toUpperCase() ?? "SQL";
  return [word === "WITH" ? "SELECT" : word, ...new Set(tables)].join(" ").slice(0, MAX_LENGTH);
};

/** Summaries by text: statements are few. The bound keeps texts that differ each time from filling memory. */
const known = new Map<string, string>();

/**
 * A short name for a statement, with no values in it: its writes, or what it reads (`INSERT users INSERT deliveries`, `SELECT
 * deliveries users`). `db.query.summary` of OpenTelemetry's database conventions, v1.45.0.
 */
export const querySummary = (sql: string): string => {
  const found = known.get(sql);
  if (found !== undefined) return found;
  const summary = summarise(sql);
  if (known.size < MAX_KEPT) known.set(sql, summary);
  return summary;
};
