import { expect, test } from "bun:test";
import { shownCommands, treatmentOf } from "../doc-commands.ts";
import { documents, root } from "../documents.ts";

const HERE = "tests/long/doc-commands.test.ts";
const TIMEOUT_MS = 60_000;

const commands = [
  ...new Set(
    documents().flatMap((document) =>
      shownCommands(document).filter((command) => treatmentOf(document.path, command)?.runBy === HERE),
    ),
  ),
];

test("there are commands to run", () => {
  expect(commands.length).toBeGreaterThan(2);
});

test.each(commands)(
  "%s",
  async (command) => {
    // Whoever reads it has a `bun`; whoever tests it may have one under another name.
    const script = `bun() { '${process.execPath}' "$@"; }\n${command}`;
    const run = Bun.spawn(["bash", "-euo", "pipefail", "-c", script], {
      cwd: root,
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, errors, code] = await Promise.all([
      new Response(run.stdout).text(),
      new Response(run.stderr).text(),
      run.exited,
    ]);
    expect([code, code === 0 ? "" : `${output}\n${errors}`]).toEqual([0, ""]);
  },
  TIMEOUT_MS,
);
