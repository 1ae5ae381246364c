import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../tests/eventually.ts";
import { isAlive, startChild } from "./child.ts";

const folder = mkdtempSync(join(tmpdir(), "child-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string): string[] => ["sh", "-c", script];

test("reports each line of output, an unterminated last line too, and how the process ended", async () => {
  const lines: string[] = [];
  const script = "printf 'one\\ntwo\\n'; printf 'not ended' >&2; exit 7";
  const child = startChild({ command: shell(script), onLine: (line) => lines.push(line), deathSignal: "TERM" });

  expect(await child.exited).toBe("exit code 7");
  expect(lines.toSorted()).toEqual(["not ended", "one", "two"]);
  expect(isAlive(child.pid)).toBe(false);
});

test("keeps only the last lines", async () => {
  const child = startChild({ command: ["seq", "100"], onLine: () => {}, deathSignal: "TERM" });
  await child.exited;
  expect(child.lastLines().split("\n")).toEqual(Array.from({ length: 12 }, (_, index) => String(89 + index)));
});

test("appends to its log, and reports only its own output as its last lines", async () => {
  const logFile = join(folder, "a.log");
  writeFileSync(logFile, "of an earlier run\n");
  const child = startChild({ command: shell("echo mine"), logFile, deathSignal: "TERM" });
  await child.exited;

  expect(readFileSync(logFile, "utf8")).toBe("of an earlier run\nmine\n");
  expect(child.lastLines()).toBe("mine");
});

test("truncates a large log", async () => {
  const logFile = join(folder, "b.log");
  writeFileSync(logFile, "x".repeat(5_000_000));
  await startChild({ command: shell("echo mine"), logFile, deathSignal: "TERM" }).exited;
  expect(readFileSync(logFile, "utf8")).toBe("mine\n");
});

test("is killed when it ignores the signal until the time limit", async () => {
  let isDeaf = false;
  const child = startChild({
    command: shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done"),
    onLine: () => {
      isDeaf = true;
    },
    deathSignal: "TERM",
  });
  await eventually(() => isDeaf);
  await child.stop("SIGTERM", 50);
  expect(await child.exited).toBe("signal SIGKILL");
  expect(isAlive(child.pid)).toBe(false);
});

test("reports a program that does not exist", async () => {
  const child = startChild({ command: [join(folder, "nothing")], onLine: () => {}, deathSignal: "TERM" });
  expect(await child.exited).toMatch(/ENOENT|exit code 127/);
});
