import { describe, expect, test } from "bun:test";
import { eventually } from "../tests/eventually.ts";
import { databaseFault, RowLocked, TableLocked } from "./errors.ts";
import { ServerSilent } from "./pool-errors.ts";
import { createSharedWriter } from "./shared-write.ts";

const rows = (count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, index) => `row ${from + index}`);

/** Rows with the same key: `row 3`, `row 3#1`. */
const keyOf = (row: string): string => row.replace(/#.*/, "");

/** A table in which some rows are locked: a statement with one of them fails after the time for which it may wait, which takes none here. */
const aTable = ({ isLocked }: { readonly isLocked: (row: string) => boolean }) => {
  const statements: { readonly rows: readonly string[]; readonly lockTimeoutMs: number }[] = [];
  const endings: (() => void)[] = [];
  let isHeldUp = false;
  let inFlight = 0;
  let most = 0;
  const writer = createSharedWriter<string, string>({
    keysOf: (row) => [keyOf(row)],
    write: async (batch, { lockTimeoutMs }, settle) => {
      statements.push({ rows: batch, lockTimeoutMs });
      inFlight += 1;
      most = Math.max(most, inFlight);
      const meetsLock = batch.some(isLocked);
      if (meetsLock && isHeldUp) await new Promise<void>((end) => endings.push(end));
      else await Bun.sleep(0);
      inFlight -= 1;
      if (meetsLock) throw new RowLocked();
      for (const row of batch) settle(row, "written");
    },
  });
  return {
    writer,
    statements,
    most: () => most,
    /** From now on, a statement that meets a lock waits until it is let go. */
    holdUp: () => {
      isHeldUp = true;
    },
    waiting: () => endings.length,
    letGo: () => {
      for (const end of endings.splice(0)) end();
    },
  };
};

const outcome = (write: Promise<string>): Promise<string> =>
  write.catch((error: unknown) => databaseFault(error).code ?? "unknown");

describe("rows that share a statement", () => {
  test("of 128, those beside a locked row wait for its lock four times, and for 20 ms at most in all", async () => {
    const { writer, statements } = aTable({ isLocked: (row) => row === "row 77" });
    const results = await Promise.all(rows(128).map((row) => outcome(writer.write(row))));
    expect(results.filter((result) => result === "written")).toHaveLength(127);
    expect(results[77]).toBe("55P03");
    const waits = statements.filter(({ rows: batch }) => batch.includes("row 77")).map((each) => each.lockTimeoutMs);
    const alone = waits.pop();
    expect(waits).toHaveLength(4);
    expect(waits.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(20);
    expect(alone).toBe(800);
  });

  test("that arrive while another is split do not wait for that", async () => {
    const { writer, holdUp, waiting, letGo } = aTable({ isLocked: (row) => row === "row 3" });
    holdUp();
    const first = rows(8).map((row) => outcome(writer.write(row)));
    await Bun.sleep(0);
    letGo();
    await Promise.all(first.filter((_, index) => index !== 3));
    // The part with the locked row still waits for its lock.
    expect(waiting()).toBe(1);
    expect(await Promise.all(rows(20, 100).map((row) => outcome(writer.write(row))))).toEqual(
      Array.from({ length: 20 }, () => "written"),
    );
    letGo();
    await Bun.sleep(0);
    letGo();
    expect(await first[3]).toBe("55P03");
  });

  test("with a locked row in common are waited for as one: the others are written after as many statements", async () => {
    const { writer, statements } = aTable({ isLocked: (row) => keyOf(row) === "row 3" });
    const same = Array.from({ length: 100 }, (_, index) => `row 3#${index}`);
    const results = Promise.all([...same, ...rows(28, 4)].map((row) => outcome(writer.write(row))));
    expect((await results).filter((result) => result === "written")).toHaveLength(28);
    const shared = statements.filter((each) => each.lockTimeoutMs < 800 && each.rows.some((row) => same.includes(row)));
    expect(shared.length).toBeLessThanOrEqual(4);
  });

  test("that meet a lock do not wait for the rows of another lock to be found", async () => {
    const held = Promise.withResolvers<void>();
    const writer = createSharedWriter<string, string>({
      keysOf: (row) => [row],
      write: async (batch, _, settle) => {
        await Bun.sleep(0);
        if (batch.length < 8 && batch.includes("row 3")) await held.promise;
        if (batch.includes("row 3") || batch.includes("row 103")) throw new RowLocked();
        for (const row of batch) settle(row, "written");
      },
    });
    const first = Promise.all(rows(8).map((row) => outcome(writer.write(row))));
    await Bun.sleep(0);
    const second = await Promise.all(rows(8, 100).map((row) => outcome(writer.write(row))));
    expect(second.filter((result) => result === "written")).toHaveLength(7);
    held.resolve();
    expect((await first).filter((result) => result === "written")).toHaveLength(7);
  });

  test("of a table that is locked are waited for by eight statements at a time, and are all refused", async () => {
    const { writer, most } = aTable({ isLocked: () => true });
    const waves = Array.from({ length: 3 }, async (_, wave) => {
      await Bun.sleep(wave);
      return Promise.all(rows(100, wave * 100).map((row) => outcome(writer.write(row))));
    });
    expect(new Set((await Promise.all(waves)).flat())).toEqual(new Set(["55P03"]));
    await writer.idle();
    expect(most()).toBeLessThanOrEqual(8);
  });

  test("of a table that is locked are answered after three waits for it, however many arrive", async () => {
    const waitMs = 1_050;
    let [isTableLocked, ended] = [true, 0];
    const writer = createSharedWriter<string, string>({
      keysOf: (row) => [row],
      write: async (batch, _, settle) => {
        await Bun.sleep(isTableLocked ? waitMs : 0);
        ended += 1;
        if (isTableLocked) throw new TableLocked({ cause: undefined });
        for (const row of batch) settle(row, "written");
      },
    });
    const writes: Promise<readonly [result: string, waits: number]>[] = [];
    while (writes.length < 5_000) {
      const before = ended;
      for (const row of rows(100, writes.length))
        writes.push(outcome(writer.write(row)).then((result) => [result, ended - before]));
      await Bun.sleep(50);
    }
    const last = Promise.all(rows(300, 5_000).map((row) => outcome(writer.write(row))));
    isTableLocked = false;
    const answers = await Promise.all(writes);
    expect(new Set(await last)).toEqual(new Set(["written"]));
    const refused = answers.filter(([result]) => result === "55P03");
    expect(refused.length).toBeGreaterThan(1_000);
    // Two when nobody knows yet, then one at a time, of which the second ends when a row is old enough.
    expect(Math.max(...refused.map(([, waits]) => waits))).toBeLessThanOrEqual(3);
    expect(new Set(answers.map(([result]) => result))).toEqual(new Set(["55P03", "written"]));
    await writer.idle();
  });

  test("of which one had a lock that has ended is written, however many wait for other locks", async () => {
    const locked = new Set(["mine"]);
    const held = Promise.withResolvers<void>();
    let waiting = 0;
    const writer = createSharedWriter<string, string>({
      keysOf: (row) => [row],
      write: async (batch, { lockTimeoutMs }, settle) => {
        await Bun.sleep(0);
        if (batch.some((row) => locked.has(row))) {
          if (lockTimeoutMs === 800 && !batch.includes("mine")) {
            waiting += 1;
            await held.promise;
          }
          throw new RowLocked();
        }
        for (const row of batch) settle(row, "written");
      },
    });
    expect(await outcome(writer.write("mine"))).toBe("55P03");
    locked.delete("mine");
    for (const row of rows(3)) locked.add(row);
    const others = rows(3).map((row) => outcome(writer.write(row)));
    await eventually(() => waiting === 3);
    expect(await outcome(writer.write("mine"))).toBe("written");
    held.resolve();
    expect(await Promise.all(others)).toEqual(["55P03", "55P03", "55P03"]);
  });

  test("are refused with those that were sent, if Postgres answers nobody, and later ones are sent", async () => {
    let isSilent = true;
    const sent: string[] = [];
    const end = Promise.withResolvers<void>();
    const writer = createSharedWriter<string, string>({
      keysOf: (row) => [row],
      write: async (batch, _, settle) => {
        sent.push(...batch);
        if (isSilent) {
          await end.promise;
          throw new ServerSilent(5_000);
        }
        for (const row of batch) settle(row, "written");
      },
    });
    const first = outcome(writer.write("first"));
    await eventually(() => sent.length === 1);
    const queued = rows(5).map((row) => outcome(writer.write(row)));
    end.resolve();
    expect(new Set(await Promise.all([first, ...queued]))).toEqual(new Set(["ETIMEDOUT"]));
    expect(sent).toEqual(["first"]);
    isSilent = false;
    expect(await outcome(writer.write("later"))).toBe("written");
  });

  test("of which one is refused fail not for it", async () => {
    const writer = createSharedWriter<string, string>({
      keysOf: (row) => [row],
      write: async (batch, _, settle) => {
        await Bun.sleep(0);
        if (batch.includes("row 5")) throw Object.assign(new Error("a bad value"), { code: "22021" });
        for (const row of batch) settle(row, "written");
      },
    });
    const results = await Promise.all(rows(40).map((row) => outcome(writer.write(row))));
    expect(results.filter((result) => result === "written")).toHaveLength(39);
    expect(results[5]).toBe("22021");
  });
});

test.each([
  ["follow one another on a connection where commits are quick", 0, true],
  ["have a connection each where a commit waits", 5, false],
])("statements that rows share %s", async (_, commitMs, isPipelined) => {
  const ways: boolean[] = [];
  const writer = createSharedWriter<string, string>({
    keysOf: (row) => [row],
    write: async (batch, how, settle) => {
      ways.push(how.isPipelined);
      if (commitMs > 0) await Bun.sleep(commitMs);
      for (const row of batch) settle(row, "written");
    },
  });
  for (let round = 0; round < 40; round += 1) await writer.write(`row ${round}`);
  expect(ways.includes(true)).toBe(isPipelined);
});
