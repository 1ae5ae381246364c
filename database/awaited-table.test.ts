import { expect, test } from "bun:test";
import { createAwaitedTable, type Left } from "./awaited-table.ts";
import { TableLocked } from "./errors.ts";
import { WaitingRow } from "./waiting-row.ts";

type Call = WaitingRow<string, string>;

const aCall = (name: string, ageMs: number) => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call: Call = new WaitingRow(name, resolve, reject);
  Object.defineProperty(call, "since", { value: performance.now() - ageMs });
  return { call, result: promise.catch((error: unknown) => error) };
};

test("a row that a statement may still write is not refused because another one has found the table locked", async () => {
  const statement = Promise.withResolvers<Left<Call>>();
  const table = createAwaitedTable<Call>({ maxBatch: 128, share: () => statement.promise, onFree: () => {} });
  const [written, late] = [aCall("written", 1_500), aCall("late", 1_500)];
  const waiting = table.wait([written.call]);
  await table.wait([late.call], new TableLocked({ cause: undefined }));
  expect(await late.result).toBeInstanceOf(TableLocked);
  expect(written.call.isOpen).toBe(true);
  written.call.resolve("201");
  statement.resolve({ calls: [] });
  await waiting;
  expect(await written.result).toBe("201");
});
