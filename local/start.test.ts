import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../observability/version.ts";
import { eventually } from "../tests/eventually.ts";
import { addressOf, endAll, type Followed, follow, leftOf, look, pidOf, untilSaid, untilUp } from "./followed.ts";
import { freePort } from "./ports.ts";

/** The real programs, started as by `bun run start`, with data of their own. */
const root = join(import.meta.dir, "..");
mkdirSync(join(root, ".local"), { recursive: true });
const data = mkdtempSync(join(root, ".local", "test-start-"));
const started: Followed[] = [];

afterAll(async () => {
  await endAll(started);
  rmSync(data, { recursive: true, force: true });
});

const startWith = (...args: readonly string[]): Followed => {
  const system = follow([process.execPath, join(root, "local", "main.ts"), "--data", data, ...args], {});
  started.push(system);
  return system;
};

const start = async (...args: readonly string[]): Promise<Followed> => {
  const system = startWith("--port", String(await freePort()), ...args);
  await untilUp(system);
  return system;
};

/** Resolves with the status and the body. */
const signUp = async (system: Followed, name: string): Promise<string> => {
  const person = { user_name: name, email: `${name}@inbox.example`, password: "correct horse battery" };
  const response = await fetch(`${addressOf(system, "signup page")}/api/v1/user/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(person),
  });
  return `${response.status} ${await response.text()}`;
};

/** How many mails a person has in the inbox. */
const mailsTo = async (system: Followed, name: string): Promise<number> => {
  const response = await fetch(`${addressOf(system, "inbox")}/api/messages`);
  const mails: readonly { readonly to: readonly string[] }[] = await response.json();
  return mails.filter(({ to }) => to.includes(`${name}@inbox.example`)).length;
};

/** 127.0.0.1, as /proc/net/tcp has it. */
const LOOPBACK = "0100007F";

/** The addresses at which somebody listens on a port. */
const listenersAt = (address: string): readonly string[] => {
  const port = Number(new URL(address).port).toString(16).toUpperCase().padStart(4, "0");
  const lines = ["tcp", "tcp6"].flatMap((family) => readFileSync(`/proc/net/${family}`, "utf8").split("\n"));
  return lines.flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    return state === "0A" && local.endsWith(`:${port}`) ? [local.slice(0, -5)] : [];
  });
};

test("Ctrl-C while it starts leaves nothing running", async () => {
  const system = startWith("--port", String(await freePort()));
  await untilSaid(system, /^starting Redis$/m);
  // It prints this before the process is there.
  await eventually(() => {
    look(system);
    return system.seen.size > 0;
  });
  system.kill("SIGINT");

  expect(await system.exitCode).toBe(0);
  expect(system.output()).toEndWith("stopped\n");
  expect(leftOf(system)).toEqual([]);
});

test("a signup's mail arrives in the inbox exactly once, also when the only consumer is killed; kill -9 leaves nothing running", async () => {
  const system = await start("--consumers", "1");
  // The welcome and the first line of each part say the version.
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
  expect(system.output()).toContain(`\nsignup-stream ${VERSION}\n`);
  await untilSaid(system, `info  listening version=${VERSION} port=`);
  await untilSaid(system, `info  consuming version=${VERSION} consumer=`);
  expect(JSON.parse(readFileSync(join(data, "addresses.json"), "utf8"))).toMatchObject({
    api: addressOf(system, "signup page"),
    inbox: addressOf(system, "inbox"),
  });
  for (const what of ["signup page", "inbox", "consumer-1", "PostgreSQL", "Redis"]) {
    expect(listenersAt(addressOf(system, what))).toEqual([LOOPBACK]);
  }
  expect(await signUp(system, "mai")).toStartWith("201 ");
  await eventually(async () => (await mailsTo(system, "mai")) === 1);

  const killed = pidOf(system, "consumer-1");
  process.kill(killed, "SIGKILL");
  expect(await signUp(system, "lan")).toStartWith("201 ");
  await eventually(async () => (await mailsTo(system, "lan")) === 1);
  expect(pidOf(system, "consumer-1")).not.toBe(killed);
  expect(await mailsTo(system, "mai")).toBe(1);

  const second = startWith();
  expect(await second.exitCode).toBe(1);
  expect(second.output()).toContain("already running in this folder");

  look(system);
  expect(system.seen.size).toBeGreaterThan(5);
  system.kill("SIGKILL");
  await eventually(() => leftOf(system).length === 0);
});

test("the next start finds all data; Ctrl-C, twice as under `bun run`, leaves nothing running", async () => {
  const system = await start("--consumers", "1");
  expect(await signUp(system, "mai")).toContain("_taken");
  for (const name of ["mai", "lan"]) expect(await mailsTo(system, name)).toBe(1);

  look(system);
  for (const signal of ["SIGINT", "SIGINT"] as const) system.kill(signal);
  expect(await system.exitCode).toBe(0);
  expect(leftOf(system)).toEqual([]);
});

test("--help lists the options and starts nothing", async () => {
  const help = startWith("--help");
  expect(await help.exitCode).toBe(0);
  for (const option of ["--consumers N", "--port P", "--data DIR", "--fresh"]) expect(help.output()).toContain(option);
});
