import { expect, test } from "bun:test";
import { createAwaitRow } from "./lock-timeout.ts";

const locked = () => Object.assign(new Error("canceling statement due to lock timeout"), { code: "55P03" });

test("those that wait for a stranger's lock, however many, hold up nobody else", async () => {
  const awaitRow = createAwaitRow();
  const held = Promise.withResolvers<never>();
  let [waiting, most] = [0, 0];
  const needLock = Array.from({ length: 20 }, () =>
    awaitRow(async (lockTimeoutMs) => {
      if (lockTimeoutMs < 100) throw locked();
      waiting += 1;
      most = Math.max(most, waiting);
      await held.promise.finally(() => (waiting -= 1));
    }).catch((error: unknown) => error),
  );
  const others = Array.from({ length: 20 }, (_, index) => awaitRow(async () => index));
  expect(await Promise.all(others)).toHaveLength(20);
  held.reject(locked());
  for (const error of await Promise.all(needLock)) expect(error).toMatchObject({ code: "55P03" });
  expect(most).toBe(1);
});

test("what fails for another reason is not tried again", async () => {
  const tries: number[] = [];
  const refused = createAwaitRow()((lockTimeoutMs) => {
    tries.push(lockTimeoutMs);
    return Promise.reject(new Error("refused"));
  });
  await expect(refused).rejects.toThrow("refused");
  expect(tries).toHaveLength(1);
});

test("what had no turn, because Postgres ends nothing, is not called locked", async () => {
  const awaitRow = createAwaitRow();
  const silent = Promise.withResolvers<void>();
  const asked = Array.from({ length: 5 }, () => awaitRow(() => silent.promise).catch((error: unknown) => error));
  const answer = await Promise.race(asked);
  expect(answer).toMatchObject({ name: "PoolBusy", code: "53300" });
  silent.resolve();
  await Promise.all(asked);
});
