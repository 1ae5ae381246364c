import { UNENDED } from "../runtime/published-fault.ts";

/**
 * SQL: of our role's statements that Postgres still runs, how many of this text have run for longer than any lock is waited for, and how
 * many of this process have run for longer than they may. $1 the statement, $2 the longest time of one in ms. What Postgres shows of a text may be
 * cut short.
 */
const COUNT_UNENDED = `
  select count(*) filter (where ran_ms >= $2::int / 2 and query <> '' and starts_with($1::text, query))::int as alike,
    count(*) filter (where ran_ms >= $2::int and application_name = current_setting('application_name'))::int as own
  from (
    select query, application_name, extract(epoch from clock_timestamp() - query_start) * 1000 as ran_ms
    from pg_stat_activity
    where datname = current_database() and usename = current_user and state = 'active' and pid <> pg_backend_pid()
  ) as running`;

interface Unended {
  readonly alike: number;
  readonly own: number;
}

/** Postgres still runs statements like this one, which it should have ended: this one was not sent. */
export class StatementsUnended extends Error {
  override readonly name = "StatementsUnended";
  readonly code = UNENDED;

  constructor({ alike, own }: Unended) {
    super(`Postgres does not end its statements: ${alike} like this one, ${own} of this process`);
  }
}

/** One may hang for reasons of its own; not if as many hang as the pool has connections, or with another one behind it. */
const ALIKE = 2;

export interface UnendedStatements {
  /** A statement was not answered in time, and its connection was given up. */
  note(): void;
  /** Whether one was, and has not been seen to have ended: then none follows another. */
  isPossible(): boolean;
  /**
   * Asks Postgres, if a statement was given up a short time ago. `isPipelined`: others with this text may follow one.
   *
   * @throws {StatementsUnended} if one with this text would most likely not be ended either
   */
  require(
    text: string,
    isPipelined: boolean,
    ask: (text: string, parameters: readonly unknown[]) => Promise<readonly Unended[]>,
  ): Promise<void>;
}

/**
 * Postgres ends what takes too long, but not a commit: one that waits for its disk, or for a standby, takes as long as that. We give it up and
 * open another connection, and Postgres keeps the old one. So before a statement is sent Postgres is asked whether it has ended
 * those that were given up. A text of which two hang is not sent again until one has ended: so what is refused has no effect, and few connections
 * are left behind, however long that takes. What only reads is ended as ever, and goes on.
 */
export const createUnendedStatements = (options: {
  /** Of the pool. */
  readonly size: number;
  /** Longest time of a statement in ms, as Postgres keeps it. */
  readonly limitMs: number;
}): UnendedStatements => {
  let isPossible = false;
  return {
    note() {
      isPossible = true;
    },
    isPossible: () => isPossible,
    async require(text, isPipelined, ask) {
      if (!isPossible) return;
      const [found = { alike: 0, own: 0 }] = await ask(COUNT_UNENDED, [text, options.limitMs]);
      if (found.alike >= (found.own < options.size && !isPipelined ? ALIKE : 1)) throw new StatementsUnended(found);
      isPossible = found.own > 0;
    },
  };
};
