import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { isAlive } from "./child.ts";
import { freePort } from "./ports.ts";
import { startPostgres } from "./postgres.ts";

const local = join(import.meta.dir, "..", ".local");
mkdirSync(local, { recursive: true });
const folder = mkdtempSync(join(local, "test-postgres-"));
const dataDirectory = join(folder, "postgres");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = async () => startPostgres({ dataDirectory, port: await freePort(), durable: false });

const ask = async (url: string, statement: string): Promise<Record<string, unknown>[]> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end();
  }
};

test("keeps its data between runs, and compares Vietnamese case-insensitively", async () => {
  const first = await start();
  await ask(first.url, "create table notes (text text)");
  await ask(first.url, "insert into notes values ('ĐẶNG')");
  await first.stop();
  expect(await first.exited).toBe("exit code 0");
  expect(isAlive(first.pid)).toBe(false);

  const second = await start();
  expect(await ask(second.url, "select lower(text) as text from notes")).toEqual([{ text: "đặng" }]);
  expect(await ask(second.url, "show synchronous_commit")).toEqual([{ synchronous_commit: "on" }]);
  await second.stop();
});

test("stops a server that outlived its starter, and starts on its data", async () => {
  const leftover = await start();
  const next = await start();

  expect(await leftover.exited).toBe("exit code 0");
  expect(await ask(next.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await next.stop();
});

test("starts again immediately after it was killed", async () => {
  const killed = await start();
  process.kill(killed.pid, "SIGKILL");
  expect(await killed.exited).toBe("signal SIGKILL");

  const next = await start();
  expect(await ask(next.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await next.stop();
});

test("does not stop a process that reuses the id of an old server", async () => {
  const bystander = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
  writeFileSync(join(dataDirectory, "postmaster.pid"), `${bystander.pid}\n${dataDirectory}\n`);

  const server = await start();
  expect(isAlive(bystander.pid)).toBe(true);
  await server.stop();
  bystander.kill();
  await bystander.exited;
});

test("repeats an interrupted first start from the beginning", async () => {
  const interrupted = join(folder, "interrupted");
  mkdirSync(`${interrupted}.new`);
  writeFileSync(join(`${interrupted}.new`, "PG_VERSION"), "18\n");

  const server = await startPostgres({ dataDirectory: interrupted, port: await freePort(), durable: false });
  expect(existsSync(`${interrupted}.new`)).toBe(false);
  await server.stop();
});

test("reports in the server's own words why it cannot start", async () => {
  const port = await freePort();
  const taken = Bun.listen({ hostname: "127.0.0.1", port, socket: { open: (socket) => void socket.end(), data() {} } });

  const start = startPostgres({ dataDirectory, port, durable: false });
  expect(start).rejects.toThrow("Address already in use");
  await start.catch(() => {});
  taken.stop(true);
});
