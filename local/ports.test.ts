import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimPort, freePort, openPortBook } from "./ports.ts";

const folder = mkdtempSync(join(tmpdir(), "ports-"));
const cacheBefore = process.env["XDG_CACHE_HOME"];

const useCache = (value: string | undefined): void => {
  if (value === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = value;
};

beforeAll(() => useCache(join(folder, "cache")));
afterAll(() => {
  useCache(cacheBefore);
  rmSync(folder, { recursive: true, force: true });
});

/** Another system, which claims the port and runs until it is killed. */
const anotherCopy = async (port: number) => {
  const script = `import { claimPort } from ${JSON.stringify(join(import.meta.dir, "ports.ts"))};
    console.log(claimPort(${port}));
    setInterval(() => {}, 1_000);`;
  const copy = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", env: { ...process.env } });
  const { value } = await copy.stdout.getReader().read();
  return { said: new TextDecoder().decode(value).trim(), end: () => copy.kill("SIGKILL"), exited: copy.exited };
};

test("a port belongs to one system until that system ends, also by SIGKILL", async () => {
  const port = await freePort();
  const copy = await anotherCopy(port);
  expect(copy.said).toBe("true");
  expect(claimPort(port)).toBe(false);

  copy.end();
  await copy.exited;
  expect(claimPort(port)).toBe(true);
});

test("a part gets another port when its usual one is claimed, and keeps that one", async () => {
  const port = await freePort();
  const copy = await anotherCopy(port);
  const file = join(folder, "ports.json");

  const given = await openPortBook(file).portOf("redis", port);
  expect(given).not.toBe(port);
  copy.end();
  await copy.exited;
  expect(await openPortBook(file).portOf("redis", port)).toBe(given);
});

test("where claims cannot be written, ports are used without", () => {
  const noFolder = join(folder, "file");
  writeFileSync(noFolder, "");
  useCache(noFolder);
  expect(claimPort(15_432)).toBe(true);
  useCache(join(folder, "cache"));
});
