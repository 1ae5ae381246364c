import { expect, test } from "bun:test";
import { shownCommands, treatmentOf } from "../doc-commands.ts";
import { documents, root } from "../documents.ts";
import { runExample } from "../shell-example.ts";

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
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
    const { output, errors, code } = await runExample(command, { env, cwd: root });
    expect([code, code === 0 ? "" : `${output}\n${errors}`]).toEqual([0, ""]);
  },
  TIMEOUT_MS,
);
