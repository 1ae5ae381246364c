import { join } from "node:path";
import { Redis } from "ioredis";
import type { LocalServer } from "../local/postgres.ts";
import { startRedis } from "../local/redis.ts";
import { findRedis } from "../local/redis-program.ts";
import { REDIS_USERS } from "../stream/acl.ts";
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

const CERTIFICATES = join(import.meta.dir, "certificates");

/** Who signed the certificate of encrypted servers, which is for 127.0.0.1. */
export const AUTHORITY = join(CERTIFICATES, "authority.pem");

/** Flags of a server, or lines of a sentinel's file, by which it takes encrypted connections as well, and makes no others itself. */
export const encryptedFlags = (port: number): readonly (readonly [string, string])[] => [
  ["tls-port", String(port)],
  ["tls-cert-file", join(CERTIFICATES, "server.pem")],
  ["tls-key-file", join(CERTIFICATES, "server.key")],
  ["tls-ca-cert-file", AUTHORITY],
  ["tls-auth-clients", "no"],
  ["tls-replication", "yes"],
];

export const asFlags = (lines: readonly (readonly [string, string])[]): readonly string[] =>
  lines.flatMap(([name, value]) => [`--${name}`, value]);

/** Gives the users of the pipeline a password, at each of these servers. */
export const setPasswords = async (nodes: readonly RedisNode[], password: string): Promise<void> => {
  for (const { port } of nodes) {
    for (const user of REDIS_USERS) await ask(port, "ACL", "SETUSER", user, "resetpass", `>${password}`);
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
