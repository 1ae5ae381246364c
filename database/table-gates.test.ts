import { expect, test } from "bun:test";
import { RowLocked, TableLocked } from "./errors.ts";
import { createTableGates, NOT_BEGUN } from "./table-gates.ts";

const lockedTable = async () => {
  await Bun.sleep(20);
  throw new TableLocked({ cause: undefined });
};
const failure = (result: Promise<unknown>) => result.catch((error: unknown) => error);

test("while a table is locked one statement of a text is sent at a time, and the others end as it does", async () => {
  const gates = createTableGates();
  let sent = 0;
  let isLocked = true;
  const ask = (text = "a") =>
    gates.pass(text, async (mayBegin) => {
      if (!mayBegin()) return NOT_BEGUN;
      sent += 1;
      if (isLocked && text === "a") await lockedTable();
      return "done";
    });
  expect(await failure(ask())).toBeInstanceOf(TableLocked);
  const failures = await Promise.all(Array.from({ length: 20 }, () => failure(ask())));
  expect(failures.every((each) => each instanceof TableLocked)).toBe(true);
  expect(sent).toBe(2);
  expect(await ask("b")).toBe("done");
  isLocked = false;
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => ask())))).toEqual(new Set(["done"]));
  expect(sent).toBe(23);
});

test("what waited for a connection when its table was found locked is not sent", async () => {
  const gates = createTableGates();
  const connection = Promise.withResolvers<void>();
  let sent = 0;
  const late = failure(
    gates.pass("a", async (mayBegin) => {
      await connection.promise;
      if (!mayBegin()) return NOT_BEGUN;
      sent += 1;
      return lockedTable();
    }),
  );
  const first = await failure(gates.pass("a", async (mayBegin) => (mayBegin() ? lockedTable() : NOT_BEGUN)));
  expect(first).toBeInstanceOf(TableLocked);
  const probe = failure(gates.pass("a", async (mayBegin) => (mayBegin() ? lockedTable() : NOT_BEGUN)));
  connection.resolve();
  expect(await late).toBe(await probe);
  expect(sent).toBe(0);
});

test("a locked row closes nothing", async () => {
  const gates = createTableGates();
  const pass = (run: () => Promise<string>) => gates.pass("a", async (mayBegin) => (mayBegin() ? run() : NOT_BEGUN));
  await failure(pass(() => Promise.reject(new RowLocked())));
  const held = Promise.withResolvers<string>();
  const [first, second] = [pass(() => held.promise), pass(async () => "beside")];
  expect(await second).toBe("beside");
  held.resolve("first");
  expect(await first).toBe("first");
});
