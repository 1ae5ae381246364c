import { expect, test } from "bun:test";
import { asSuperuser, serverUrl } from "./database.ts";

// A bench that measures twice starts servers twice, in one process.
test("statements go to the server that is named when they run, not to the first one", async () => {
  await asSuperuser("select 1");
  const server = serverUrl();
  const nobody = new URL(server);
  nobody.port = "1";
  process.env["TEST_DATABASE_URL"] = nobody.href;
  try {
    await expect(asSuperuser("select 1")).rejects.toThrow("ECONNREFUSED");
  } finally {
    process.env["TEST_DATABASE_URL"] = server;
  }
  await asSuperuser("select 1");
});
