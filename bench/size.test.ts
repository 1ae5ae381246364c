import { expect, test } from "bun:test";
import { join } from "node:path";

test("what is kept has a directory that the next run finds: --keep alone is refused", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "size.ts"), "--keep", "--rows", "1"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = await new Response(child.stderr).text();
  expect(said).toContain("--keep needs --directory");
  expect(await child.exited).not.toBe(0);
});
