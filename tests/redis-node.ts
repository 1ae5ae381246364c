import { join } from "node:path";
import { Redis } from "ioredis";
import type { LocalServer } from "../local/postgres.ts";
import { startRedis } from "../local/redis.ts";
import { findRedis } from "../local/redis-program.ts";
import { ownPort } from "./own-port.ts";

export const LOCAL = join(import.meta.dir, "..", ".local");

/** One command on a connection of its own; rejects if the server is silent. */
export const ask = async (port: number, ...[command, ...args]: readonly [string, ...string[]]): Promise<unknown> => {
  const redis = new Redis(port, "127.0.0.1", {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    commandTimeout: 2_000,
    connectTimeout: 1_000,
  });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
};

/** A server of a topology, that can be killed, stopped, and started again. */
export interface RedisNode {
  readonly port: number;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay open and silent. */
  freeze(): void;
  thaw(): void;
}

export const aNode = async (directory: string, flagsOf: (port: number) => readonly string[]): Promise<RedisNode> => {
  const port = await ownPort();
  const program = findRedis(join(LOCAL, "redis"), () => {});
  let server: LocalServer | undefined;
  const signal = (name: NodeJS.Signals) => server !== undefined && process.kill(server.pid, name);
  return {
    port,
    async start() {
      const dataDirectory = join(directory, String(port));
      server = await startRedis({ program, dataDirectory, port, durable: false, flags: flagsOf(port) });
    },
    async kill() {
      const killed = server;
      server = undefined;
      if (killed === undefined) return;
      process.kill(killed.pid, "SIGKILL");
      await killed.exited;
    },
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
  };
};
