import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GROUPS } from "../stream/groups.ts";
import { factoryOf, registryFiles, registryOf } from "./generate.ts";
import { FACTORIES } from "./registry.ts";

const aGroup = (name: string) => ({ name, types: ["user.#"] });

describe("the registry", () => {
  test("has the factory of every group, in the order of the groups", () => {
    expect([...FACTORIES.keys()]).toEqual(GROUPS.map(({ name }) => name));
    const text = registryOf(["webhooks", "audit-log", "export"].map(aGroup));
    expect(text.split("\n").filter((line) => /^import \{|^ {2}\[/.test(line))).toEqual([
      'import { factory as webhooksFactory } from "./webhooks/group.ts";',
      'import { factory as auditLogFactory } from "./audit-log/group.ts";',
      'import { factory as exportFactory } from "./export/group.ts";',
      '  ["webhooks", webhooksFactory],',
      '  ["audit-log", auditLogFactory],',
      '  ["export", exportFactory],',
    ]);
  });

  test.each(["Audit", "audit log", "audit--log", "-audit", "2fa", "", "a".repeat(33)])(
    "is not made with a group named %p",
    async (name) => {
      await expect(registryFiles([aGroup(name)])).rejects.toThrow(`a group cannot be named "${name}"`);
    },
  );

  test("is not made with a group that binds to nothing", async () => {
    const made = registryFiles([{ name: "audit-log", types: ["user.signed_down.v1"] }]);
    await expect(made).rejects.toThrow("the group audit-log binds to nothing");
  });

  test("is not made with a group that has no folder: the error names the file to write", async () => {
    const made = registryFiles([...GROUPS, aGroup("no-folder")]);
    await expect(made).rejects.toThrow(/^the group no-folder has no consumers\/no-folder\/group\.ts: write it with: /);
  });
});

describe("the folder of a group", () => {
  const folder = mkdtempSync(join(tmpdir(), "consumers-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ["nothing", ""],
    ["another-name", "export const group = { requires: [], open: () => {} };"],
    ["another-thing", "export const factory = { requires: [] };"],
  ])("that exports %s is refused by the name of its file", async (name, text) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "group.ts"), text);
    const found = factoryOf(aGroup(name), folder);
    await expect(found).rejects.toThrow(
      `consumers/${name}/group.ts does not export the factory of the group ${name}: `,
    );
  });
});
