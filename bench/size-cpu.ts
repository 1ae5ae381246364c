import { readFileSync } from "node:fs";
import { type Database, statement } from "../database/connection.ts";

const backends = statement<{ pid: number }, [string | null]>(`
  select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
    and application_name = coalesce($1::text, application_name)`);

/** Time on a processor, in ms: the first field of /proc/PID/schedstat, proc(5). 0 once the process has ended. */
const onProcessorMs = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return 0;
  }
};

/**
 * A clock of the time that Postgres' processes for the database, or for one application's connections to it, have had a processor, in ms:
 * other programs do not move it.
 */
export const processorClock = async (db: Database, application: string | null = null): Promise<() => number> => {
  const pids = (await backends(db, application)).map(({ pid }) => pid);
  return () => pids.reduce((sum, pid) => sum + onProcessorMs(pid), 0);
};
