import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "../../local/child.ts";
import { pause } from "../../runtime/loop.ts";

/** A process that faults befall. It can be ended, frozen, and started again. */
export interface Victim {
  readonly name: string;
  readonly kind: "api" | "consumer";
  readonly url: string;
  /** Undefined: there is no means to fake its clock. */
  readonly jumpClock: ((bySeconds: number) => void) | undefined;
  start(): void;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** SIGTERM; it has to end by itself, with code 0. */
  terminate(): void;
  /** Resolves when it has ended after `terminate`. */
  terminated(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface VictimOptions {
  readonly name: string;
  readonly kind: Victim["kind"];
  readonly file: string;
  readonly root: string;
  readonly directory: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** The library that fakes the clock of a process (libfaketime), if there is one for this process. */
  readonly clockLibrary: string | undefined;
  readonly onLine: (line: string) => void;
  /** Called when it ended as it should not: by itself, with a wrong code, or not at all. */
  readonly onMisconduct: (what: string) => void;
}

/** The drain's time limit, and what it takes to leave when a store is away, on a busy machine. */
const TERMINATE_WITHIN_MS = 20_000;
const RESTART_AFTER_MS = 1_000;

/** The monotonic clock stays true: no machine's jumps. */
const fakeClock = (library: string, file: string): Record<string, string> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_CACHE_DURATION: "1",
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
  NO_FAKE_STAT: "1",
});

export const createVictim = (options: VictimOptions): Victim => {
  const { name, kind, file, root, directory, port, clockLibrary, onLine, onMisconduct } = options;
  const log = createWriteStream(join(directory, `${name}.log`), { flags: "a" });
  const clockFile = join(directory, `${name}.clock`);
  const setClock = (bySeconds: number) => writeFileSync(clockFile, `${bySeconds < 0 ? "" : "+"}${bySeconds}s\n`);
  setClock(0);
  const env = { ...options.env, ...(clockLibrary === undefined ? {} : fakeClock(clockLibrary, clockFile)) };
  let child: Child;
  let mayEnd = false;

  const start = (): void => {
    const started = startChild({
      command: [process.execPath, file],
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
      log.write(`-- process ${started.pid} ended: ${how}\n`);
      if (mayEnd || child !== started) return;
      onMisconduct(`${name} ended by itself: ${how}`);
      setTimeout(() => {
        if (!mayEnd && child === started) start();
      }, RESTART_AFTER_MS);
    });
  };
  const signal = (which: NodeJS.Signals): void => {
    try {
      process.kill(child.pid, which);
    } catch {
      // It has ended already, which has been told.
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
    url: `http://127.0.0.1:${port}`,
    jumpClock: clockLibrary === undefined ? undefined : setClock,
    start,
    kill,
    terminate: () => {
      mayEnd = true;
      signal("SIGTERM");
    },
    async terminated() {
      const how = await Promise.race([child.exited, pause(TERMINATE_WITHIN_MS)]);
      if (typeof how !== "string") {
        onMisconduct(`${name} did not end within ${TERMINATE_WITHIN_MS} ms of its SIGTERM`);
        await kill();
      } else if (how !== "exit code 0") onMisconduct(`${name} ended after its SIGTERM with ${how}`);
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
