import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { eventually } from "../tests/eventually.ts";
import { ownPort } from "../tests/own-port.ts";
import { isAlive } from "./child.ts";
import {
  addressOf,
  assignOwnPorts,
  descendantsOf,
  endAll,
  type Followed,
  follow,
  leftOf,
  untilSaid,
  untilUp,
} from "./followed.ts";
import { STAND_INS } from "./stand-ins.ts";

const folder = mkdtempSync(join(tmpdir(), "watch-"));
const tree = join(folder, "tree");
let system: Followed;

const save = (path: string, text = `// saved\nexport const at = ${performance.now()};\n`): void => {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
};

beforeAll(async () => {
  save("api/main.ts", `import "../stream/keys.ts"; import "./routes.ts";`);
  save("consumers/main.ts", `import "../stream/keys.ts";`);
  for (const path of ["api/routes.ts", "stream/keys.ts", "database/migrations/0001.ts"]) save(path);
  // Programs run in the tree, and Bun reads there how to compile.
  copyFileSync(join(import.meta.dir, "..", "tsconfig.json"), join(tree, "tsconfig.json"));
  await assignOwnPorts(join(folder, "data"));
  const port = String(await ownPort());
  const command = [process.execPath, STAND_INS, "system", join(folder, "data"), "--port", port, "--watch"];
  system = follow([...command, "--consumers", "1"], {
    DATABASE_URL: process.env["TEST_DATABASE_URL"],
    REDIS_URL: process.env["TEST_REDIS_URL"],
    STAND_IN_ROOT: tree,
  });
  await untilUp(system);
  await untilSaid(system, "Watching the source");
});

afterAll(async () => {
  await endAll([system]);
  rmSync(folder, { recursive: true, force: true });
});

const pidAt = async (what: string): Promise<number> =>
  Number(await (await fetch(new URL("/pid", addressOf(system, what)))).text());

/** The processes that serve now, once the parts that are being replaced are back. */
const pids = async () => ({
  api: await eventually(() => pidAt("signup page").catch(() => 0)),
  consumer: await eventually(() => pidAt("consumer-1").catch(() => 0)),
  inbox: descendantsOf(system.pid).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("inbox/main.ts"),
  ),
});

const said = (text: string): number => system.output().split(text).length - 1;

/** Saves files, and waits until the restart that they ask for is complete. */
const restartedBy = async (paths: readonly string[], names: readonly string[]): Promise<void> => {
  const before = names.map((name) => said(`${name} is process`));
  for (const path of paths) save(path);
  await eventually(() => names.every((name, index) => said(`${name} is process`) > (before[index] ?? 0)));
};

test("a saved file of the API replaces the API alone", async () => {
  const before = await pids();
  await restartedBy(["api/routes.ts"], ["api"]);

  const after = await pids();
  expect(after.api).not.toBe(before.api);
  expect(after.consumer).toBe(before.consumer);
  expect(after.inbox).toBe(before.inbox);
  expect(isAlive(before.api)).toBe(false);
  expect(system.output()).toContain("api/routes.ts changed: restarting api\n");
  expect(system.output()).toMatch(/^api .* drained; store: true, inbox: true$/m);
});

test("what both import replaces both, and several saves are one change", async () => {
  const before = await pids();
  await restartedBy(["stream/keys.ts", "api/routes.ts", "stream/keys.ts"], ["api", "consumer-1"]);

  const after = await pids();
  expect(after.api).not.toBe(before.api);
  expect(after.consumer).not.toBe(before.consumer);
  expect(said("api/routes.ts, stream/keys.ts changed: restarting api and consumers")).toBe(1);
});

test("tests, documents and files that nobody imports replace nothing", async () => {
  const before = await pids();
  for (const path of ["api/routes.test.ts", "stream/README.md", "stream/nobody.ts"]) save(path);
  // The next change comes after theirs.
  const replaced = said("consumer-1 is process");
  save("consumers/main.ts", `import "../stream/keys.ts"; // saved`);
  await eventually(() => said("consumer-1 is process") === replaced + 1);

  expect((await pids()).api).toBe(before.api);
  expect(system.output()).not.toMatch(/(test\.ts|README\.md|nobody\.ts).* changed/);
});

test("a file that is imported from now on counts from now on", async () => {
  const before = said("api is process");
  save("api/new/page.ts");
  save("api/routes.ts", `import "./new/page.ts";`);
  await eventually(() => said("api is process") === before + 1);
  await restartedBy(["api/new/page.ts"], ["api"]);
  expect(system.output()).toContain("api/new/page.ts changed: restarting api\n");
});

test("a file that cannot be parsed replaces nothing until it is fixed", async () => {
  const before = await pids();
  save("api/routes.ts", "export const at = (;\n");
  await untilSaid(system, /api\/routes\.ts cannot be parsed, nothing is restarted: line 1: /);
  expect((await pids()).api).toBe(before.api);

  await restartedBy(["api/routes.ts"], ["api"]);
  expect((await pids()).api).not.toBe(before.api);
});

test("a migration is applied before both are replaced", async () => {
  const [before, migrated] = [await pids(), said("up to date\n")];
  await restartedBy(["database/migrations/0002.ts"], ["api", "consumer-1"]);

  const after = await pids();
  expect(said("up to date\n")).toBeGreaterThan(migrated);
  expect(after.api).not.toBe(before.api);
  expect(after.consumer).not.toBe(before.consumer);
});

test("a part that dies waits for the next save, and the rest keeps running", async () => {
  const before = await pids();
  await fetch(`${addressOf(system, "signup page")}/die/3`, { method: "POST" }).catch(() => {});
  await untilSaid(system, "api ended by itself: exit code 3. It starts again when one of its source files is saved");
  expect((await fetch(addressOf(system, "consumer-1"))).ok).toBe(true);

  await restartedBy(["api/routes.ts"], ["api"]);
  expect((await pids()).consumer).toBe(before.consumer);
});

test("Ctrl-C ends all of it, also after replacements", async () => {
  system.kill("SIGINT");
  expect(await system.exitCode).toBe(0);
  expect(system.output()).toEndWith("stopped\n");
  expect(leftOf(system)).toEqual([]);
});
