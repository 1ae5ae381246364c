import { expect, test } from "bun:test";
import { unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { aCheapHasher } from "../app-for-tests.ts";
import { createPasswordHasher, HashQueueFull, MAX_WAITING, roomFor } from "./hasher.ts";
import { createHashWorker, type DoneJob, type HashWorker } from "./worker.ts";

/** A worker that answers when the test lets it, and says that a job took it `jobMs`. */
const aWorkerByHand = (jobMs = 0.1) => {
  const asked: string[] = [];
  const open: (() => void)[] = [];
  const startWorker = (): HashWorker => ({
    run: (job) => {
      const { promise, resolve } = Promise.withResolvers<DoneJob>();
      asked.push(job.password);
      open.push(() => resolve({ result: { kind: "hash", hash: `hash of ${job.password}` }, tookMs: jobMs }));
      return promise;
    },
    isAlive: () => true,
    end: () => {},
  });
  return { asked, open, startWorker };
};

const cheap = { memoryKib: 8, passes: 1 };

test("hashes with argon2id at the configured cost, and verifies", async () => {
  const hasher = aCheapHasher();
  const hash = await hasher.hash("một mật khẩu đủ dài");
  expect(hash).toStartWith("$argon2id$v=19$m=8,t=1,p=1$");
  expect(await hasher.verify("một mật khẩu đủ dài", hash)).toBe(true);
  expect(await hasher.verify("một mật khẩu khác hẳn", hash)).toBe(false);
  // Not `rejects`: it runs the event loop itself, and never sees the message of an unref'd thread (Bun 1.4).
  expect(String(await hasher.verify("x", "not a hash").catch((error: unknown) => error))).toContain("argon2id failed");
  hasher.close();
});

test("those of one client in the order in which they came, as many at a time as there are workers", async () => {
  const worker = aWorkerByHand();
  const hasher = createPasswordHasher({ ...cheap, concurrency: 2, startWorker: worker.startWorker });
  const names = Array.from({ length: 6 }, (_, index) => `password ${index}`);
  const hashes = Promise.all(names.map((name) => hasher.hash(name)));
  expect(worker.asked).toEqual(names.slice(0, 2));
  expect(hasher.waiting()).toBe(4);
  while (worker.asked.length < names.length || worker.open.length > 0) {
    worker.open.shift()?.();
    await Bun.sleep(0);
  }
  expect(worker.asked).toEqual(names);
  expect(await hashes).toEqual(names.map((name) => `hash of ${name}`));
});

test("while others come, no client has all workers; alone it has", async () => {
  const worker = aWorkerByHand();
  const hasher = createPasswordHasher({ ...cheap, concurrency: 2, startWorker: worker.startWorker });
  const next = async () => {
    worker.open.shift()?.();
    await Bun.sleep(0);
  };
  const hashFor = (client: string, index: number) =>
    hasher.hash(`${client} ${index}`, { client }).catch((error: unknown) => error);
  for (let index = 0; index < 6; index += 1) void hashFor("flood", index);
  expect(worker.asked).toEqual(["flood 0", "flood 1"]);
  void hashFor("person", 0);
  await next();
  expect(worker.asked.slice(2)).toEqual(["person 0"]);
  await next();
  expect(worker.asked.slice(3)).toEqual(["flood 2"]);
  // The person's has ended: its worker is free for whoever comes next.
  await next();
  expect(worker.asked.slice(4)).toEqual([]);
  void hashFor("person", 1);
  expect(worker.asked.slice(4)).toEqual(["person 1"]);
  hasher.close();
});

test("what waits is bounded by the time that it takes", () => {
  expect(roomFor(undefined, 2)).toBe(MAX_WAITING);
  expect(roomFor(0.02, 2)).toBe(MAX_WAITING);
  expect(roomFor(31, 2)).toBe(129);
  expect(roomFor(400, 1)).toBe(5);
  expect(roomFor(30_000, 4)).toBe(4);
});

/** A hasher whose queue is full: one job runs, and another client has as many waiting as there may be. */
const aFullQueue = async () => {
  const worker = aWorkerByHand(100);
  const hasher = createPasswordHasher({ ...cheap, concurrency: 1, startWorker: worker.startWorker });
  const first = hasher.hash("measured");
  worker.open.shift()?.();
  await first;
  void hasher.hash("running", { client: "flood" });
  const refused = (error: unknown) => error;
  const flood = Array.from({ length: roomFor(100, 1) }, (_, index) =>
    hasher.hash(`flood ${index}`, { client: "flood" }).catch(refused),
  );
  return { worker, hasher, flood };
};

test("a full queue refuses at once who fills it, and says when to retry: soon", async () => {
  const { hasher } = await aFullQueue();
  const refused = await hasher.hash("one too many", { client: "flood" }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HashQueueFull);
  expect(refused instanceof HashQueueFull && refused.retryAfterMs).toBe(2_000);
  hasher.close();
});

test("a full queue makes room for another client, whose password is the next", async () => {
  const { worker, hasher, flood } = await aFullQueue();
  const waited = hasher.waiting();
  const hash = hasher.hash("a person's", { client: "person" });
  expect(await flood.at(-1)).toBeInstanceOf(HashQueueFull);
  expect(hasher.waiting()).toBe(waited);
  for (const expected of ["flood 0", "a person's"]) {
    worker.open.shift()?.();
    await Bun.sleep(0);
    expect(worker.asked.at(-1)).toBe(expected);
  }
  worker.open.shift()?.();
  expect(await hash).toBe("hash of a person's");
  hasher.close();
});

test("an aborted caller leaves the queue without a hash", async () => {
  const worker = aWorkerByHand();
  const hasher = createPasswordHasher({ ...cheap, concurrency: 1, startWorker: worker.startWorker });
  const running = hasher.hash("running");
  const caller = new AbortController();
  const { signal } = caller;
  const leaving = hasher.hash("leaves", { signal }).catch((error: unknown) => error);
  const staying = hasher.hash("stays");
  caller.abort();
  expect(hasher.waiting()).toBe(1);
  expect(await leaving).toMatchObject({ name: "AbortError" });
  await expect(hasher.hash("aborted before it came", { signal })).rejects.toMatchObject({ name: "AbortError" });
  worker.open.shift()?.();
  expect(await running).toBe("hash of running");
  await Bun.sleep(0);
  worker.open.shift()?.();
  expect(await staying).toBe("hash of stays");
  expect(worker.asked).toEqual(["running", "stays"]);
});

test.each(["process.exit(3)", "throw new Error('a thread may die')"])(
  "a worker that dies by %s rejects its own job and is replaced",
  async (death) => {
    const script = join(tmpdir(), `dying-worker-${crypto.randomUUID()}.ts`);
    await Bun.write(
      script,
      `import { parentPort } from "node:worker_threads"; parentPort?.on("message", () => { ${death}; });`,
    );
    let started = 0;
    const startWorker = () => {
      started += 1;
      return started === 1 ? createHashWorker(pathToFileURL(script)) : createHashWorker();
    };
    const hasher = createPasswordHasher({ ...cheap, concurrency: 1, startWorker });
    const results = await Promise.allSettled([hasher.hash("is lost"), hasher.hash("is hashed"), hasher.hash("too")]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(started).toBe(2);
    hasher.close();
    await unlink(script);
  },
);

test("a worker that cannot be started rejects its job, not the queue", async () => {
  let started = 0;
  const startWorker = () => {
    started += 1;
    if (started === 1) throw new Error("no more threads");
    return createHashWorker();
  };
  const hasher = createPasswordHasher({ ...cheap, concurrency: 1, startWorker });
  const results = await Promise.allSettled([hasher.hash("is lost"), hasher.hash("is hashed")]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled"]);
  hasher.close();
});

test("closing rejects what is queued", async () => {
  const hasher = createPasswordHasher({ ...cheap, concurrency: 1, startWorker: aWorkerByHand().startWorker });
  void hasher.hash("running");
  const waiting = hasher.hash("waiting");
  hasher.close();
  await expect(waiting).rejects.toThrow("closed");
  await expect(hasher.hash("late")).rejects.toThrow("closed");
});

test("workers do not keep the process alive", async () => {
  const code = `import { aCheapHasher } from "./api/app-for-tests.ts"; await aCheapHasher().hash("a password of its own");`;
  const child = Bun.spawn([process.execPath, "-e", code], {
    cwd: join(import.meta.dir, "../.."),
    stdout: "ignore",
    stderr: "inherit",
  });
  const timer = setTimeout(() => child.kill(), 60_000);
  expect(await child.exited).toBe(0);
  clearTimeout(timer);
});
