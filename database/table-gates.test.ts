import { expect, test } from "bun:test";
import { TableLocked } from "./errors.ts";
import { createTableGates, NOT_BEGUN } from "./table-gates.ts";

const LIMIT_MS = 20;
const lockedTable = async () => {
  await Bun.sleep(LIMIT_MS);
  throw Object.assign(new Error("canceling statement due to lock timeout"), { code: "55P03" });
};
const lockedRow = async () => {
  await Bun.sleep(LIMIT_MS);
  throw Object.assign(new Error("lock timeout"), { code: "55P03", where: "while locking tuple (0,1)" });
};
const failure = (result: Promise<unknown>) => result.catch((error: unknown) => error);

test("while a table is locked one statement of a text is sent at a time, and the others end as it does", async () => {
  const gates = createTableGates(LIMIT_MS);
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
  const gates = createTableGates(LIMIT_MS);
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

test("a locked row, or a statement that was refused at once, closes nothing", async () => {
  const gates = createTableGates(LIMIT_MS);
  const pass = (run: () => Promise<string>) => gates.pass("a", async (mayBegin) => (mayBegin() ? run() : NOT_BEGUN));
  await failure(pass(lockedRow));
  await failure(pass(() => Promise.reject(Object.assign(new Error("brief"), { code: "55P03" }))));
  const held = Promise.withResolvers<string>();
  const [first, second] = [pass(() => held.promise), pass(async () => "beside")];
  expect(await second).toBe("beside");
  held.resolve("first");
  expect(await first).toBe("first");
});
