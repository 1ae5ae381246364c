import { expect, test } from "bun:test";
import { serverUrl } from "../tests/database.ts";
import { startProxy } from "../tests/tcp-proxy.ts";
import { openDatabase, pingDatabase } from "./connection.ts";

test("the driver sends no query of its own, whose failure nobody would handle", async () => {
  const server = new URL(serverUrl());
  await using proxy = await startProxy(Number(server.port), { cutAt: "pg_catalog" });
  server.port = String(proxy.port);
  const db = openDatabase({ url: server.href, poolSize: 1, applicationName: "test" });
  expect(await pingDatabase(db)).toBeUndefined();
  await db.destroy();
});
