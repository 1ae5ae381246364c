import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PROGRAMS, placesOf, preparedProgram } from "./prepared.ts";

const tree = mkdtempSync(join(tmpdir(), "ops-prepared-"));
afterAll(() => rmSync(tree, { recursive: true, force: true }));

const write = (file: string, text: string): void => {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), text);
};

test("a prepared program is used for the sources, packages and Bun that it was made of, and no others", () => {
  for (const folder of ["consumers/email", "database", "observability", "ops", "runtime", "settings", "stream"]) {
    write(`${folder}/a.ts`, "1");
  }
  write("bun.lock", "{}");
  write("package.json", "{}");
  const version = () => placesOf(tree, PROGRAMS.ops).own;
  const first = version();
  write("stream/a.test.ts", "not part of it");
  expect(version()).toBe(first);
  const changes = [
    () => write("stream/a.ts", "2"),
    () => write("bun.lock", "{ }"),
    () => write("stream/scripts/b.lua", "3"),
    () => rmSync(join(tree, "stream/scripts/b.lua")),
  ];
  const versions = changes.map((change) => {
    change();
    return version();
  });
  expect(new Set([first, ...versions]).size).toBe(4);
  expect(preparedProgram(tree, PROGRAMS.ops)).toBeUndefined();
  write(join(version().slice(tree.length + 1), "program.js"), "");
  expect(preparedProgram(tree, PROGRAMS.ops)).toBe(join(version(), "program.js"));
  // Without the script it is what it was before.
  expect(versions[3]).toBe(versions[1] ?? "");
});
