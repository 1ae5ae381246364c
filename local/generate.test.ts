import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGenerator, GENERATORS } from "./generate.ts";

describe("a generator", () => {
  test("finds what is missing, changed or stale, brings it up to date, and changes nothing else", async () => {
    const root = mkdtempSync(join(tmpdir(), "generate-"));
    const files = new Map<string, string | undefined>([
      ["manifests/a/group.yaml", "# of a\nlist: [1, 2]\n"],
      ["manifests/b/group.yaml", "# of b\nlist: [3]\n"],
      ["table.md", "a table\n"],
    ]);
    const generator = createGenerator("example", () => files, root);
    try {
      expect(await generator.run()).toEqual([...files.keys()]);
      expect(await generator.run()).toEqual([]);

      // As a formatter would: the same, on other lines.
      files.set("manifests/a/group.yaml", "# of a\nlist:\n  - 1\n  - 2\n");
      files.set("manifests/b/group.yaml", undefined);
      files.set("table.md", "another table\n");
      expect(await generator.outdated()).toEqual(["manifests/b/group.yaml", "table.md"]);
      expect(await generator.run()).toEqual(["manifests/b/group.yaml", "table.md"]);
      expect(existsSync(join(root, "manifests", "b"))).toBe(false);
      expect(readFileSync(join(root, "table.md"), "utf8")).toBe("another table\n");
      expect(await generator.outdated()).toEqual([]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

test.each(GENERATORS.map(({ name, outdated }) => [name, outdated] as const))(
  "generated files are up to date: %s (if not: bun run generate)",
  async (_, outdated) => {
    expect(await outdated()).toEqual([]);
  },
);
