import { expect, test } from "bun:test";
import type { PasswordHasher } from "./hasher.ts";
import { cheapInPlace, isCheap } from "./in-place.ts";

const threads: PasswordHasher = {
  hash: async () => "by a thread",
  verify: async () => false,
  waiting: () => 0,
  warmUp: async () => {},
  close: () => {},
};

test("what is cheaper than a message to a thread is hashed in place, and only that", async () => {
  const cheap = cheapInPlace(threads, { memoryKib: 8, passes: 1 });
  const hash = await cheap.hash("a password of its own");
  expect(hash).toStartWith("$argon2id$v=19$m=8,t=1,p=1$");
  expect(await cheap.verify("a password of its own", hash)).toBe(true);
  expect(await cheap.verify("another password", hash)).toBe(false);
  const real = cheapInPlace(threads, { memoryKib: 19_456, passes: 2 });
  expect(await real.hash("a password of its own")).toBe("by a thread");
});

test("a hash that was made at a real cost is verified by a thread, whatever the settings say now", async () => {
  const cheap = cheapInPlace(threads, { memoryKib: 8, passes: 1 });
  const real = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaA";
  expect(await cheap.verify("a password of its own", real)).toBe(false);
  expect(await cheap.verify("a password of its own", "$2b$10$abcdefghijklmnopqrstuv")).toBe(false);
});

test("a hash that cannot be read is an error", async () => {
  const cheap = cheapInPlace(threads, { memoryKib: 8, passes: 1 });
  const error = await cheap.verify("x", "$argon2id$v=19$m=8,t=1,p=1$").catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("argon2id failed");
});

test.each([
  [8, 1, true],
  [8, 8, true],
  [64, 2, false],
  [19_456, 2, false],
])("%i KiB and %i passes", (memoryKib, passes, expected) => {
  expect(isCheap({ memoryKib, passes })).toBe(expected);
});
