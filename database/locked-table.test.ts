import { expect, test } from "bun:test";
import { mayWaitForTable } from "./locked-table.ts";

const locked = (context: object = {}) => Object.assign(new Error("lock timeout"), { code: "55P03", ...context });

test.each([
  ["as long as a connection waits", locked(), 1_000, true],
  ["for less: the limit is that of a row", locked(), 800, false],
  ["for a row, as Postgres says", locked({ where: "while locking tuple (0,1)" }), 1_000, false],
  ["not for a lock", Object.assign(new Error("slow"), { code: "57014" }), 4_000, false],
])("a statement that waited %s", (_, error, waitedMs, expected) =>
  expect(mayWaitForTable(error, { waitedMs, limitMs: 1_000 })).toBe(expected),
);
