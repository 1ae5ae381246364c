import type { Redis } from "ioredis";
import type { Sql } from "postgres";
import type { TestServers } from "../tests/servers.ts";
import { cpuOf, cpuOfFamily } from "./cpu.ts";
import { usedMemoryOf } from "./redis-figures.ts";

/** What was used since some start: CPU in µs, the rest in bytes. */
export interface Costs {
  /** Of each process that was named, its children included. */
  readonly own: readonly number[];
  readonly postgres: number;
  readonly redis: number;
  /** Of this process, which makes the load. */
  readonly load: number;
  readonly wal: number;
  /** Redis' memory; less than 0 where it shrank. */
  readonly memory: number;
}

/** Connections to the stores, to look. */
export interface Stores {
  readonly servers: TestServers;
  readonly sql: Sql;
  readonly redis: Redis;
}

const usedSoFar = async ({ servers, sql, redis }: Stores, pids: readonly number[]): Promise<Costs> => {
  const [row] = await sql<{ wal: string }[]>`select pg_current_wal_lsn() - '0/0'::pg_lsn as wal`;
  const memory = await usedMemoryOf(redis);
  const { user, system } = process.cpuUsage();
  return {
    own: pids.map(cpuOfFamily),
    postgres: cpuOfFamily(servers.pids.postgres),
    redis: cpuOf(servers.pids.redis),
    load: user + system,
    wal: Number(row?.wal),
    memory,
  };
};

/** Starts to measure; the function that is returned says what was used by then, for each of `count` units. */
export const measureCosts = async (stores: Stores, pids: readonly number[]) => {
  const from = await usedSoFar(stores, pids);
  return async (count: number): Promise<Costs> => {
    const to = await usedSoFar(stores, pids);
    return {
      own: to.own.map((each, index) => (each - (from.own[index] ?? 0)) / count),
      postgres: (to.postgres - from.postgres) / count,
      redis: (to.redis - from.redis) / count,
      load: (to.load - from.load) / count,
      wal: (to.wal - from.wal) / count,
      memory: (to.memory - from.memory) / count,
    };
  };
};
