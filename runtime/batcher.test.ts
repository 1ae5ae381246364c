import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createBatcher, QueueFull } from "./batcher.ts";

describe("a batcher", () => {
  test("calls that arrive while a batch is in flight share the next one, and each gets its own result", async () => {
    const sizes: number[] = [];
    const batcher = createBatcher<number, number>({
      maxBatch: 10,
      maxInFlight: 1,
      run: async (inputs) => {
        sizes.push(inputs.length);
        await Bun.sleep(1);
        return inputs.map((input) => input * 2);
      },
    });
    const first = batcher.add(1);
    await Promise.resolve();
    const others = Array.from({ length: 12 }, (_, index) => batcher.add(index + 2));
    const results: readonly number[] = await Promise.all([first, ...others]);
    expect(results).toEqual(Array.from({ length: 13 }, (_, index) => (index + 1) * 2));
    expect(sizes).toEqual([1, 10, 2]);
    await batcher.idle();
  });

  test("begins another batch beside one in flight with as many calls as that has, and no fewer than were asked for", async () => {
    const sizes: number[] = [];
    const ends: (() => void)[] = [];
    const batcher = createBatcher<number, number>({
      maxBatch: 100,
      maxInFlight: 2,
      besideFrom: 4,
      run: async (inputs) => {
        sizes.push(inputs.length);
        await new Promise<void>((end) => ends.push(end));
        return [...inputs];
      },
    });
    const add = async (count: number) => {
      const calls = Array.from({ length: count }, (_, index) => batcher.add(index));
      await Bun.sleep(0);
      return calls;
    };
    const all = [await add(1), await add(3)];
    expect(sizes).toEqual([1]);
    all.push(await add(1));
    expect(sizes).toEqual([1, 4]);
    all.push(await add(40));
    expect(sizes).toEqual([1, 4]);
    ends[1]?.();
    await Bun.sleep(0);
    expect(sizes).toEqual([1, 4, 40]);
    ends[0]?.();
    all.push(await add(39));
    expect(sizes).toEqual([1, 4, 40]);
    all.push(await add(1));
    expect(sizes).toEqual([1, 4, 40, 40]);
    for (const end of ends) end();
    await Promise.all(all.flat());
    await batcher.idle();
  });

  test.each([
    ["at once", undefined, [1, 1]],
    ["after the turn", setImmediate, [2]],
  ])("calls of two events of one turn, where a batch begins %s", async (_, soon, expected) => {
    const sizes: number[] = [];
    const batcher = createBatcher<number, number>({
      maxBatch: 10,
      maxInFlight: 1,
      ...(soon === undefined ? {} : { soon }),
      run: async (inputs) => {
        sizes.push(inputs.length);
        return [...inputs];
      },
    });
    const first = batcher.add(1);
    await Promise.resolve();
    await Promise.all([first, batcher.add(2)]);
    expect(sizes).toEqual(expected);
  });

  test("rejects a call at once when its queue is full", async () => {
    const release = Promise.withResolvers<void>();
    const batcher = createBatcher<number, number>({
      maxBatch: 1,
      maxInFlight: 1,
      maxWaiting: 2,
      run: async (inputs) => {
        await release.promise;
        return [...inputs];
      },
    });
    const first = batcher.add(1);
    await Promise.resolve();
    const waiting = [batcher.add(2), batcher.add(3)];
    const refused = await batcher.add(4).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(QueueFull);
    release.resolve();
    const results: readonly number[] = await Promise.all([first, ...waiting]);
    expect(results).toEqual([1, 2, 3]);
  });

  test("a batch that fails against its promise is reported, and holds up none of the next", async () => {
    // A process of its own: the test runner takes every rejection that is unhandled for a failed test.
    const code = `
      import { createBatches } from ${JSON.stringify(join(import.meta.dir, "batcher.ts"))};
      process.on("unhandledRejection", (error) => console.log(error.message));
      let failed = false;
      const run = async (inputs) => {
        console.log(inputs.join(" "));
        if (failed) return;
        failed = true;
        throw new Error("against its promise");
      };
      const batches = createBatches({ maxBatch: 2, maxInFlight: 1, run });
      for (const input of [1, 2, 3]) batches.add(input);
      await batches.idle();
      console.log("idle");`;
    const child = Bun.spawn([process.execPath, "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    const said = await new Response(child.stdout).text();
    expect(said.trim().split("\n").toSorted()).toEqual(["1 2", "3", "against its promise", "idle"]);
    expect(await child.exited).toBe(0);
  });
});
