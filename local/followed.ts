import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../tests/eventually.ts";
import { ownPort } from "../tests/own-port.ts";
import { isAlive } from "./child.ts";

/** A local system that a test starts as a person would, by its command, and observes through its output. */
export interface Followed {
  readonly pid: number;
  readonly stdin: { end(): void };
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  /** Every descendant process that was seen. */
  readonly seen: Set<number>;
  readonly hasEnded: () => boolean;
  kill(signal: NodeJS.Signals): void;
}

const PARTS = ["postgres", "redis", "smtp", "inbox", "consumer-1", "consumer-2"];

/** Assigns the parts of a system in this folder ports of the test's own, unless it has some: others may use the usual ones. */
export const assignOwnPorts = async (directory: string): Promise<void> => {
  const file = join(directory, "ports.json");
  if (existsSync(file)) return;
  mkdirSync(directory, { recursive: true });
  const ports: Record<string, number> = {};
  for (const part of PARTS) ports[part] = await ownPort();
  writeFileSync(file, JSON.stringify(ports));
};

/** Starts a command in a process group of its own, as a shell would. */
export const follow = (command: readonly string[], environment: Record<string, string | undefined>): Followed => {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  return {
    pid: child.pid ?? 0,
    stdin: child.stdin,
    output: () => output,
    exitCode: new Promise((resolve) => child.on("close", resolve)),
    seen: new Set(),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    kill: (signal) => void child.kill(signal),
  };
};

const parentOf = (pid: number): number => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
};

/** All descendants of a process, from /proc. */
export const descendantsOf = (pid: number): number[] => {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  const parents = new Map(all.map((each) => [each, parentOf(each)]));
  const below = (parent: number): number[] =>
    all.filter((each) => parents.get(each) === parent).flatMap((child) => [child, ...below(child)]);
  return below(pid);
};

/** Records the descendants that run now. */
export const look = (system: Followed): void => {
  for (const pid of descendantsOf(system.pid)) system.seen.add(pid);
};

/** The recorded descendants that are still alive. */
export const leftOf = (system: Followed): number[] => [...system.seen].filter(isAlive);

/** Resolves when it has printed its addresses. On a busy machine the stores alone may take many seconds. */
export const untilUp = async (system: Followed): Promise<void> => {
  await eventually(() => {
    if (system.hasEnded()) throw new Error(`it ended:\n${system.output()}`);
    return system.output().includes("Ctrl-C stops everything");
  });
  look(system);
};

/** Resolves when its output matches. */
export const untilSaid = (system: Followed, what: string | RegExp): Promise<boolean> =>
  eventually(() => new RegExp(what).test(system.output()));

/** The address that it printed for a part. */
export const addressOf = (system: Followed, what: string): string =>
  new RegExp(`^ +${what} +.*?((?:http|postgres|redis)://\\S+)`, "m").exec(system.output())?.[1] ?? "";

/** The process of a consumer, as printed last. */
export const pidOf = (system: Followed, consumer: string): number =>
  Number([...system.output().matchAll(new RegExp(`${consumer} .*process (\\d+)`, "g"))].at(-1)?.[1]);

/** Kills what a test left running, and waits until it is gone. */
export const endAll = async (systems: readonly Followed[]): Promise<void> => {
  for (const system of systems) {
    if (system.hasEnded()) continue;
    look(system);
    system.kill("SIGKILL");
  }
  await eventually(() => systems.flatMap(leftOf).length === 0);
};
