import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { inlineCode, readDocument, root, tableRows } from "./documents.ts";

const rows = tableRows(readDocument("SECURITY.md"), "| requirement |");

test("SECURITY.md names a test for each requirement, or says that it is to come", () => {
  expect(rows.length).toBeGreaterThan(25);
  const named = rows.map(([requirement, , tests = ""]) => ({ requirement, tests, files: inlineCode(tests) }));
  expect(named.filter(({ tests, files }) => files.length === 0 && tests !== "to come")).toEqual([]);
  const missing = named.flatMap(({ files }) => files.filter((file) => !existsSync(join(root, file))));
  expect(missing).toEqual([]);
  expect(named.flatMap(({ files }) => files.filter((file) => !/\.test\.tsx?$/.test(file)))).toEqual([]);
});

test("SECURITY.md names each requirement of ASVS 5.0 by its number, in order of chapters", () => {
  const numbers = rows.map(([requirement = ""]) => /^\d+\.\d+\.\d+/.exec(requirement)?.[0] ?? requirement);
  const chapters = numbers.map((number) => Number(number.split(".")[0]));
  expect(chapters).toEqual(chapters.toSorted((a, b) => a - b));
});
