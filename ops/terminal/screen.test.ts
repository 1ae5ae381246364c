import { expect, test } from "bun:test";
import { join } from "node:path";
import { isUnread } from "./screen.ts";

test("a reader that has enough ends the writer, without a fault", async () => {
  const source = `
    import { isUnread, screenOn } from "${join(import.meta.dir, "screen.ts")}";
    const screen = screenOn(process.stdout, {}, false);
    try {
      for (;;) await screen.write("line\\n".repeat(1_000));
    } catch (error) {
      process.exit(isUnread(error) ? 7 : 1);
    }`;
  const script = `'${process.execPath}' -e "$SOURCE" | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = Bun.spawnSync(["bash", "-c", script], { env: { ...process.env, SOURCE: source } });
  expect({ out: stdout.toString(), err: stderr.toString() }).toEqual({ out: "line\n7\n", err: "" });
  expect(isUnread(new Error("x"))).toBe(false);
});
