import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LocalServer } from "../local/postgres.ts";
import { startRedis } from "../local/redis.ts";
import { findRedis } from "../local/redis-program.ts";
import { ownPort } from "./own-port.ts";

/** A Redis of a test's own, that can be killed and started again on the same data. */
export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay open and silent. */
  freeze(): void;
  thaw(): void;
  /** Starts it again with nothing in it. */
  startEmpty(): Promise<void>;
}

const local = join(import.meta.dir, "..", ".local");

/**
 * `keepsAll`: what it has answered is in its file when it is killed. Else it holds writes back for up to 2 s while the disk is busy, as it does in production
 * (`appendfsync everysec`).
 */
export const anOwnRedis = async ({ running = true, keepsAll = false } = {}): Promise<OwnRedis> => {
  mkdirSync(local, { recursive: true });
  const directory = mkdtempSync(join(local, "test-redis-"));
  const port = await ownPort();
  const program = findRedis(join(local, "redis"), () => {});
  let server: LocalServer | undefined;
  const start = async () => {
    const flags = keepsAll ? ["--appendfsync", "always"] : [];
    server = await startRedis({ program, dataDirectory: join(directory, "data"), port, flags });
  };
  const kill = async () => {
    const killed = server;
    server = undefined;
    if (killed === undefined) return;
    process.kill(killed.pid, "SIGKILL");
    await killed.exited;
  };
  const signal = (name: NodeJS.Signals) => server !== undefined && process.kill(server.pid, name);
  if (running) await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    startEmpty: async () => {
      rmSync(join(directory, "data"), { recursive: true, force: true });
      await start();
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
