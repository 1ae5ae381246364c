import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, statSync } from "node:fs";

/** How a process ended, in words. */
export type Exit = string;

/** A process that this one started and will stop. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended, with how. */
  readonly exited: Promise<Exit>;
  /** The last lines of its output, for the report of its end. */
  lastLines(): string;
  /** Sends the signal, waits; SIGKILL after `timeoutMs`. */
  stop(signal: NodeJS.Signals, timeoutMs: number): Promise<void>;
}

export interface ChildOptions {
  readonly command: readonly string[];
  /** A prefix that changes user or namespace. It comes first, for such a change clears the death signal. */
  readonly asUser?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Receives standard output and error; without it they are read by `onLine`. */
  readonly logFile?: string;
  readonly onLine?: (line: string) => void;
  /** What the kernel sends it when this process is killed (Linux). */
  readonly deathSignal: "INT" | "TERM";
}

const LAST_LINES = 12;
const LAST_OUTPUT_MS = 200;
/** A larger log file is truncated at the next start. */
const MAX_LOG_BYTES = 4_194_304;

let deathSignalProgram: string | undefined;

/** `setpriv` of util-linux, or "": other systems have none, and that of busybox does not support a death signal. */
const findSetpriv = (): string => {
  if (deathSignalProgram === undefined) {
    const found = process.platform === "linux" ? Bun.which("setpriv") : null;
    const works =
      found !== null &&
      Bun.spawnSync([found, "--pdeathsig", "TERM", "--", "true"], { stdio: ["ignore", "ignore", "ignore"] }).success;
    deathSignalProgram = works ? found : "";
  }
  return deathSignalProgram;
};

/** The command under `setpriv --pdeathsig` where available: then even `kill -9` of this process leaves nothing running. */
const underDeathSignal = (command: readonly string[], signal: string): string[] => {
  const setpriv = findSetpriv();
  return setpriv === "" ? [...command] : [setpriv, "--pdeathsig", signal, "--", ...command];
};

const readLines = (child: ChildProcess, onLine: (line: string) => void): void => {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    });
    stream?.on("end", () => rest !== "" && onLine(rest));
  }
};

const openLog = (file: string): { readonly descriptor: number; readonly startsAt: number } => {
  const size = existsSync(file) ? statSync(file).size : 0;
  const isFull = size > MAX_LOG_BYTES;
  return { descriptor: openSync(file, isFull ? "w" : "a"), startsAt: isFull ? 0 : size };
};

/**
 * Starts a process in a process group of its own: the terminal's Ctrl-C must reach this process alone, which stops the
 * stores last.
 */
export const startChild = (options: ChildOptions): Child => {
  const { command, asUser = [], env, cwd, logFile, onLine, deathSignal } = options;
  const [program = "", ...args] = [...asUser, ...underDeathSignal(command, deathSignal)];
  const log = logFile === undefined ? undefined : openLog(logFile);
  const output = log?.descriptor ?? "pipe";
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", output, output],
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (log !== undefined) closeSync(log.descriptor);
  const recent: string[] = [];
  if (onLine !== undefined) {
    readLines(child, (line) => {
      recent.push(line);
      if (recent.length > LAST_LINES) recent.shift();
      onLine(line);
    });
  }
  const exited = new Promise<Exit>((resolve) => {
    const settle = (code: number | null, signal: string | null) =>
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
    child.on("error", (error) => resolve(error.message));
    // Output may arrive after the exit, and another process may hold the pipe open indefinitely.
    child.on("close", settle);
    child.on("exit", (code, signal) => setTimeout(settle, LAST_OUTPUT_MS, code, signal));
  });
  return {
    pid: child.pid ?? 0,
    exited,
    lastLines() {
      if (logFile === undefined || log === undefined) return recent.join("\n");
      const output = readFileSync(logFile).subarray(log.startsAt).toString("utf8").trimEnd();
      return output.split("\n").slice(-LAST_LINES).join("\n");
    },
    async stop(signal, timeoutMs) {
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
};

/** Whether a process with that id is running (a zombie is not). */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  try {
    return !/^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
};
