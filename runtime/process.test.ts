import { describe, expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

const run = async (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  const env = { PATH: process.env["PATH"] ?? "", NO_COLOR: "1", ...environment };
  const child = Bun.spawn([process.execPath, ...args], { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] });
  const [said, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { exitCode, said: said.trim() };
};

/** A process whose start ends in this expression. */
const startThatEndsIn = (expression: string) =>
  run([
    "-e",
    `import { failedToStart } from "./runtime/process.ts";
const main = async () => { ${expression} };
process.exit(await main().catch(failedToStart));`,
  ]);

const A_LINE_OF_A_STACK = /^\s+at .*\S/m;

const SETTINGS = {
  DATABASE_URL: "postgres://signup@127.0.0.1:1/signup",
  REDIS_URL: "redis://127.0.0.1:1",
  MAIL_SERVER: "127.0.0.1",
  MAIL_FROM: "welcome@toblug.example",
};

describe("a start that fails", () => {
  test("by a bug shows the stack, whatever the error's type", async () => {
    const bugs = ["undefined.name;", "null();", 'throw new RangeError("out of bounds");'];
    const shown = await Promise.all(bugs.map(startThatEndsIn));
    const withStack = { exitCode: 1, said: expect.stringMatching(A_LINE_OF_A_STACK) };
    expect(shown).toEqual(bugs.map(() => withStack));
  });

  test("by a wrong argument is a message alone", async () => {
    const shown = await Promise.all(
      [["--grup", "x"], ["--group"], ["x"]].map((args) => run(["consumers/main.ts", ...args], SETTINGS)),
    );
    expect(shown).toEqual([
      { exitCode: 1, said: "Unknown option '--grup'" },
      { exitCode: 1, said: "Option '--group <value>' argument missing" },
      { exitCode: 1, said: "Unexpected argument 'x'. This command does not take positional arguments" },
    ]);
  });

  test("by a group that does not exist is a message alone", async () => {
    const { exitCode, said } = await run(["consumers/main.ts", "--group", "welcome-mail"], SETTINGS);
    expect(exitCode).toBe(1);
    expect(said).toStartWith("no group is named welcome-mail; expected one of: ");
    expect(said.split("\n")).toHaveLength(1);
  });

  test("by faulty settings is a message alone, with the exit code of a faulty configuration", async () => {
    const { exitCode, said } = await run(["consumers/main.ts"], { ...SETTINGS, MAIL_FROM: "nobody" });
    expect(exitCode).toBe(78);
    expect(said).toContain("MAIL_FROM");
    expect(said).not.toMatch(A_LINE_OF_A_STACK);
  });
});
