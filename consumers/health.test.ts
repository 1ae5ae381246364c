import { expect, test } from "bun:test";
import { VERSION } from "../observability/version.ts";
import { serveHealth } from "./health.ts";

test("both health answers show the version that is running", async () => {
  await using server = serveHealth([], 0);
  const ask = async (path: string) => (await fetch(new URL(path, server.url))).json();
  expect(await ask("/livez")).toEqual({ live: true, version: VERSION, groups: [] });
  expect(await ask("/readyz")).toEqual({ ready: true, version: VERSION, groups: [] });
});
