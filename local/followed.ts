import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "../tests/eventually.ts";
import { isAlive } from "./child.ts";

/** A local system that a test started as a person would: by its command, read by its output. */
export interface Followed {
  readonly pid: number;
  readonly stdin: { end(): void };
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  /** Every process that was seen below it. */
  readonly seen: Set<number>;
  readonly hasEnded: () => boolean;
  kill(signal: NodeJS.Signals): void;
}

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

/** All processes below this one, by /proc. */
export const descendantsOf = (pid: number): number[] => {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  const parents = new Map(all.map((each) => [each, parentOf(each)]));
  const below = (parent: number): number[] =>
    all.filter((each) => parents.get(each) === parent).flatMap((child) => [child, ...below(child)]);
  return below(pid);
};

/** Notes what runs below it now. */
export const look = (system: Followed): void => {
  for (const pid of descendantsOf(system.pid)) system.seen.add(pid);
};

/** Those of the processes seen below it that still live. */
export const leftOf = (system: Followed): number[] => [...system.seen].filter(isAlive);

/** Resolves when it has told its addresses. On a busy machine its stores alone may take their time. */
export const untilUp = async (system: Followed): Promise<void> => {
  await eventually(() => {
    if (system.hasEnded()) throw new Error(`it ended:\n${system.output()}`);
    return system.output().includes("Ctrl-C stops everything");
  }, 30_000);
  look(system);
};

/** Resolves when it has said this. */
export const untilSaid = (system: Followed, what: string | RegExp): Promise<boolean> =>
  eventually(() => new RegExp(what).test(system.output()), 10_000);

/** The address that it told for a part. */
export const addressOf = (system: Followed, what: string): string =>
  new RegExp(`^ +${what} +.*?(http://\\S+)`, "m").exec(system.output())?.[1] ?? "";

/** The process of a consumer, as it was told last. */
export const pidOf = (system: Followed, consumer: string): number =>
  Number([...system.output().matchAll(new RegExp(`${consumer} .*process (\\d+)`, "g"))].at(-1)?.[1]);

/** Ends what a test left running, the hardest way. */
export const endAll = async (systems: readonly Followed[]): Promise<void> => {
  for (const system of systems) {
    if (system.hasEnded()) continue;
    look(system);
    system.kill("SIGKILL");
  }
  await eventually(() => systems.flatMap(leftOf).length === 0);
};
