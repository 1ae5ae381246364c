import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../tests/eventually.ts";
import { ownPort } from "../tests/own-port.ts";
import { isAlive } from "./child.ts";
import {
  addressOf,
  assignOwnPorts,
  descendantsOf,
  endAll,
  type Followed,
  follow as followOne,
  leftOf,
  look,
  pidOf,
  untilSaid,
  untilUp,
} from "./followed.ts";
import { STAND_INS } from "./stand-ins.ts";

const local = join(import.meta.dir, "..", ".local");
mkdirSync(local, { recursive: true });
const folder = mkdtempSync(join(local, "test system "));
const started: Followed[] = [];

const follow: typeof followOne = (command, environment) => {
  const system = followOne(command, environment);
  started.push(system);
  return system;
};

afterAll(async () => {
  await endAll(started);
  rmSync(folder, { recursive: true, force: true });
});

/** With the stores that all tests share, which is quicker. */
const withStores = (): Record<string, string | undefined> => ({
  DATABASE_URL: process.env["TEST_DATABASE_URL"],
  REDIS_URL: process.env["TEST_REDIS_URL"],
});

const systemIn = async (directory: string, ...args: readonly string[]): Promise<string[]> => {
  await assignOwnPorts(join(folder, directory));
  const port = String(await ownPort());
  return [process.execPath, STAND_INS, "system", join(folder, directory), "--port", port, ...args];
};

/** One word for a shell, also with spaces in it. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

test.concurrent("prints its addresses; Ctrl-C, sent twice as under `bun run`, stops the stores last", async () => {
  const system = follow(await systemIn("whole"), {});
  await untilUp(system);

  const environment = await (await fetch(`${addressOf(system, "signup page")}/environment`)).json();
  expect(environment).toMatchObject({
    MAIL_SERVER: "127.0.0.1",
    MAIL_TLS: "none",
    MAIL_FROM: "welcome@toblug.example",
  });
  expect(environment.PUBLIC_URL).toBe(addressOf(system, "signup page"));
  expect(await (await fetch(`${addressOf(system, "inbox")}/api/messages`)).json()).toEqual([]);
  expect((await fetch(addressOf(system, "consumer-2"))).status).toBe(200);
  expect(system.output()).toMatch(/^api {8}\| \d\d:\d\d:\d\d info {2}serving$/m);

  system.kill("SIGINT");
  system.kill("SIGINT");
  expect(await system.exitCode).toBe(0);
  expect(system.output().match(/drained; store: true, inbox: true/g)).toHaveLength(3);
  expect(system.output()).toEndWith("stopped\n");
  expect(leftOf(system)).toEqual([]);

  // Again on the same data and ports; this time it is killed.
  const again = follow(await systemIn("whole"), {});
  await untilUp(again);
  for (const what of ["inbox", "PostgreSQL", "Redis", "consumer-1 .*health"]) {
    const address = new RegExp(`^ +${what} +(\\S+)`, "m");
    expect(address.exec(again.output())?.[1]).toBe(address.exec(system.output())?.[1]);
  }
  expect(again.seen.size).toBeGreaterThan(6);
  again.kill("SIGKILL");
  await eventually(() => leftOf(again).length === 0);
});

test.concurrent("restarts a killed consumer under its name, and names a part that dies", async () => {
  const system = follow(await systemIn("dying"), withStores());
  await untilUp(system);
  process.kill(pidOf(system, "consumer-1"), "SIGKILL");

  await untilSaid(system, /consumer-1 ended \(signal SIGKILL\)/);
  await untilSaid(system, /consumer-1 is process \d+ now/);
  await eventually(async () => (await fetch(addressOf(system, "consumer-1")).catch(() => undefined))?.ok);

  look(system);
  fetch(`${addressOf(system, "signup page")}/die/3`, { method: "POST" }).catch(() => {});
  expect(await system.exitCode).toBe(1);
  expect(leftOf(system)).toEqual([]);
  expect(system.output()).toMatch(
    /^api ended by itself: exit code 3\. Its last lines:\n {4}[\d:]{8} info {2}serving$/m,
  );
  expect(system.output()).toContain("\n    something went wrong here\n");
  // By another pipe than the words above, so either may be read first.
  expect(system.output()).toMatch(/^stopped$/m);
});

test.concurrent("does not restart a consumer whose settings are invalid", async () => {
  const system = follow(await systemIn("refused"), { ...withStores(), STAND_IN_CONSUMER_EXITS: "78" });
  expect(await system.exitCode).toBe(1);
  expect(system.output()).toMatch(/consumer-\d ended by itself: exit code 78/);
});

test.concurrent("runs only once in a folder", async () => {
  const system = follow(await systemIn("twice", "--consumers", "1"), withStores());
  await untilUp(system);
  const second = follow(await systemIn("twice"), withStores());

  expect(await second.exitCode).toBe(1);
  expect(second.output()).toContain(`already running in this folder (process ${system.pid})`);
  system.kill("SIGHUP");
  expect(await system.exitCode).toBe(0);
});

test.concurrent("ends with the `bun run` that started it, but not with the shell above", async () => {
  const script = `${(await systemIn("nested", "--consumers", "0")).map(quoted).join(" ")}; true`;
  mkdirSync(join(folder, "package"));
  await Bun.write(join(folder, "package", "package.json"), JSON.stringify({ scripts: { start: script } }));
  const shell = `cd ${quoted(join(folder, "package"))} && { ${quoted(process.execPath)} run start & } && echo "outer: $!" && read never`;
  const outer = follow(["bash", "-c", shell], withStores());
  await untilSaid(outer, "Ctrl-C stops everything");
  const bunRun = Number(/outer: (\d+)/.exec(outer.output())?.[1]);
  const all = descendantsOf(bunRun);
  for (const pid of all) outer.seen.add(pid);
  expect(all.length).toBeGreaterThan(2);

  outer.stdin.end();
  await eventually(() => !isAlive(outer.pid));
  // Longer than the interval at which ancestors are polled.
  await Bun.sleep(700);
  expect(all.every(isAlive)).toBe(true);
  process.kill(bunRun, "SIGKILL");
  await untilSaid(outer, "the process that started this one ended");
  await untilSaid(outer, /^stopped$/m);
  await eventually(() => !all.some(isAlive));
});

test.each([
  ["an unknown flag", ["--fast"], {}, 2, "Unknown option '--fast'"],
  ["an invalid port", ["--port", "70000"], {}, 2, "expected a whole number from 1 to 65535"],
  ["a faulty setting", [], { MAIL_PORT: "abc" }, 78, "MAIL_PORT"],
])("refuses %s before it starts anything", async (_, args, environment, exitCode, words) => {
  const refused = follow([process.execPath, STAND_INS, "system", join(folder, "refused"), ...args], environment);
  expect(await refused.exitCode).toBe(exitCode);
  expect(refused.output()).toContain(words);
  expect(refused.output()).not.toContain("starting");
});
