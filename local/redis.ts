import { mkdirSync } from "node:fs";
import { Redis } from "ioredis";
import { pause } from "../runtime/loop.ts";
import { startChild, tailOf } from "./child.ts";
import type { LocalServer } from "./postgres.ts";
import type { RedisProgram } from "./redis-program.ts";

export interface RedisOptions {
  readonly program: RedisProgram;
  /** Made on first use. */
  readonly dataDirectory: string;
  readonly port: number;
  /** False only for tests: nothing is kept on disk. */
  readonly durable?: boolean;
}

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;

const answers = async (url: string): Promise<boolean> => {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000 });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
};

/** Starts Redis on 127.0.0.1. It keeps its data in an append-only file, and never evicts. */
export const startRedis = async ({
  program,
  dataDirectory,
  port,
  durable = true,
}: RedisOptions): Promise<LocalServer> => {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const logFile = `${dataDirectory}.log`;
  const persistence = durable ? ["--appendonly", "yes", "--appendfsync", "everysec"] : ["--appendonly", "no"];
  const child = startChild({
    command: [
      program.command,
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", dataDirectory, "--save", ""],
      ...persistence,
      ...["--maxmemory-policy", "noeviction"],
    ],
    env: program.env,
    cwd: dataDirectory,
    logFile,
    deathSignal: "TERM",
  });
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const url = `redis://127.0.0.1:${port}`;
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!ended && performance.now() < deadline) {
    if (await answers(url)) {
      return { url, pid: child.pid, exited: child.exited, stop: () => child.stop("SIGTERM", STOP_TIMEOUT_MS) };
    }
    await pause(30, new AbortController().signal);
  }
  await child.stop("SIGKILL", 1_000);
  throw new Error(`Redis did not start on port ${port}; its last words:\n${tailOf(logFile)}`);
};
