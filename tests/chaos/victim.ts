import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "../../local/child.ts";
import { pause } from "../../runtime/loop.ts";

/** A process that faults kill, freeze and restart. */
export interface Victim {
  readonly name: string;
  readonly kind: "api" | "consumer";
  /** Groups that it runs; none for an API. */
  readonly groups: readonly string[];
  readonly url: string;
  /** Undefined: its clock cannot be faked. */
  readonly jumpClock: ((bySeconds: number) => void) | undefined;
  start(): void;
  /** SIGKILL; resolves when it has exited. */
  kill(): Promise<void>;
  /** SIGTERM; it has to exit by itself, with code 0. */
  terminate(): void;
  /** Resolves when it has exited after `terminate`. */
  terminated(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it without a restart. */
  stop(): Promise<void>;
}

export interface VictimOptions {
  readonly name: string;
  readonly kind: Victim["kind"];
  readonly groups: readonly string[];
  /** The program and its arguments, relative to `root`. */
  readonly command: readonly string[];
  readonly root: string;
  readonly directory: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** libfaketime; undefined: its clock is not faked. */
  readonly clockLibrary: string | undefined;
  readonly onLine: (line: string) => void;
  /** Called when it exited by itself, with a code other than 0, or not in time. */
  readonly onMisconduct: (what: string) => void;
}

/** More than the drain timeout: leaving takes longer while a store is unavailable, and on a busy machine. */
const TERMINATE_WITHIN_MS = 20_000;
const RESTART_AFTER_MS = 1_000;

/** The monotonic clock is not faked: it never jumps. */
const fakeClock = (library: string, file: string): Record<string, string> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_CACHE_DURATION: "1",
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
  NO_FAKE_STAT: "1",
});

export const createVictim = (options: VictimOptions): Victim => {
  const { name, kind, groups, command, root, directory, port, clockLibrary, onLine, onMisconduct } = options;
  const log = createWriteStream(join(directory, `${name}.log`), { flags: "a" });
  const clockFile = join(directory, `${name}.clock`);
  const setClock = (bySeconds: number) => writeFileSync(clockFile, `${bySeconds < 0 ? "" : "+"}${bySeconds}s\n`);
  setClock(0);
  const env = { ...options.env, ...(clockLibrary === undefined ? {} : fakeClock(clockLibrary, clockFile)) };
  let child: Child;
  let mayEnd = false;

  const start = (): void => {
    const started = startChild({
      command: [process.execPath, ...command],
      env,
      cwd: root,
      deathSignal: "TERM",
      onLine: (line) => {
        log.write(`${line}\n`);
        onLine(line);
      },
    });
    child = started;
    mayEnd = false;
    log.write(`-- started as process ${started.pid}\n`);
    void started.exited.then((how) => {
      log.write(`-- process ${started.pid} exited: ${how}\n`);
      if (mayEnd || child !== started) return;
      onMisconduct(`${name} exited by itself: ${how}`);
      setTimeout(() => {
        if (!mayEnd && child === started) start();
      }, RESTART_AFTER_MS);
    });
  };
  const signal = (which: NodeJS.Signals): void => {
    try {
      process.kill(child.pid, which);
    } catch {
      // It has exited already, and `onMisconduct` was called.
    }
  };
  const kill = async (): Promise<void> => {
    mayEnd = true;
    signal("SIGKILL");
    await child.exited;
  };
  start();
  return {
    name,
    kind,
    groups,
    url: `http://127.0.0.1:${port}`,
    jumpClock: clockLibrary === undefined ? undefined : setClock,
    start,
    kill,
    terminate: () => {
      mayEnd = true;
      signal("SIGTERM");
    },
    async terminated() {
      // Before its first line it has not asked for signals yet: whoever starts it knows that it has not begun.
      const hasBegun = child.lastLines() !== "";
      const how = await Promise.race([child.exited, pause(TERMINATE_WITHIN_MS)]);
      if (typeof how !== "string") {
        onMisconduct(`${name} did not exit within ${TERMINATE_WITHIN_MS} ms of SIGTERM`);
        await kill();
      } else if (how !== "exit code 0" && (hasBegun || how !== "signal SIGTERM"))
        onMisconduct(`${name} exited after SIGTERM with ${how}`);
    },
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async stop() {
      mayEnd = true;
      signal("SIGCONT");
      await child.stop("SIGTERM", TERMINATE_WITHIN_MS);
      await new Promise<void>((done) => log.end(() => done()));
    },
  };
};
