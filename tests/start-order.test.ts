import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import SLOW_FILES from "./slow-files.json" with { type: "json" };
import { completeTimings } from "./start-order.ts";

const QUICK = ["a.test.ts", "b.test.tsx", "d.test.ts", "e.test.ts"];
const SLOW = ["c/slow.test.ts", "f/slower.test.ts"];

/** Tests that write down when they start; the slow ones last until both have started. */
const aTree = () => {
  const root = mkdtempSync(join(tmpdir(), "start-order-"));
  const log = JSON.stringify(join(root, "started"));
  for (const file of [...QUICK, ...SLOW]) {
    const rest = SLOW.includes(file)
      ? `while (readFileSync(${log}, "utf8").split("slow").length < 3) await Bun.sleep(5);`
      : "";
    const text = `import { test } from "bun:test"; import { appendFileSync, readFileSync } from "node:fs";
      test("it", async () => { appendFileSync(${log}, "${file}\\n"); ${rest} });`;
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return { root, timings: join(root, "timings.json"), [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
};

/** The first two files that two workers start. */
const startedFirst = async (root: string, timings: string): Promise<readonly string[]> => {
  const command = [process.execPath, "test", "--parallel=2", "--parallel-delay=0", `--timings=${timings}`];
  const tests = Bun.spawn(command, { cwd: root, stdio: ["ignore", "ignore", "ignore"] });
  await tests.exited;
  return readFileSync(join(root, "started"), "utf8").split("\n").slice(0, SLOW.length).sort();
};

test("the slowest files start first, in a tree where no test has run yet", async () => {
  using tree = aTree();
  completeTimings(tree.root, tree.timings, { [SLOW[0] ?? ""]: 20_000, [SLOW[1] ?? ""]: 30_000 });
  expect(await startedFirst(tree.root, tree.timings)).toEqual(SLOW);
});

test("a file has the time that it took here, else the one it is known for; one that is gone has none", () => {
  using tree = aTree();
  const [measured = "", known = ""] = QUICK;
  writeFileSync(tree.timings, JSON.stringify({ version: 1, files: { [measured]: 9_000, "gone.test.ts": 9_000 } }));
  completeTimings(tree.root, tree.timings, { [measured]: 30_000, [known]: 4_000 });
  const { files } = JSON.parse(readFileSync(tree.timings, "utf8"));
  expect(Object.keys(files).sort()).toEqual([...QUICK, ...SLOW].sort());
  expect(files).toMatchObject({ [measured]: 9_000, [known]: 4_000, [SLOW[0] ?? ""]: 1_000 });
});

test("what a run that was killed left of the file is no obstacle", () => {
  using tree = aTree();
  writeFileSync(tree.timings, `{"version":1,"fi`);
  completeTimings(tree.root, tree.timings, { [SLOW[0] ?? ""]: 30_000 });
  expect(JSON.parse(readFileSync(tree.timings, "utf8")).files).toMatchObject({ [SLOW[0] ?? ""]: 30_000 });
});

test("the list of slow files names only files that exist", () => {
  expect(Object.keys(SLOW_FILES).filter((file) => !existsSync(join(import.meta.dir, "..", file)))).toEqual([]);
});
