import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isSource, PROGRAMS } from "../runtime/prepared.ts";
import { filesOf, syntaxErrorOf } from "./imports.ts";

const root = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "imports-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  const tree = {
    "part/main.ts": `import { a } from "./a.tsx"; import type { B } from "./types.ts"; import "hono"; a satisfies B;`,
    "part/a.tsx": `import text from "../shared/words.lua" with { type: "text" }; export const a = <b>{text}</b>;`,
    "part/types.ts": `export type B = unknown; import "./only-by-types.ts";`,
    "shared/words.lua": "return 1",
    "worker/main.ts": `new Worker(new URL("./thread.ts", import.meta.url)); const late = await import("./late.ts"); late;`,
    "worker/thread.ts": `import "./circle.ts";`,
    "worker/circle.ts": `import "./thread.ts"; import "./gone.ts";`,
    "worker/late.ts": "export const late = 1;",
    "faulty.ts": "\nconst a = (;",
  };
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
});

test("follows imports into code and texts, but not those of types and packages", () => {
  expect([...filesOf(folder, "part/main.ts")].toSorted()).toEqual(["part/a.tsx", "part/main.ts", "shared/words.lua"]);
});

test("follows workers and dynamic imports, once around a circle, up to a file that is missing", () => {
  expect([...filesOf(folder, "worker/main.ts")].toSorted()).toEqual([
    "worker/circle.ts",
    "worker/gone.ts",
    "worker/late.ts",
    "worker/main.ts",
    "worker/thread.ts",
  ]);
});

test("names the line of a mistake", () => {
  expect(syntaxErrorOf(folder, "faulty.ts")).toStartWith("line 2: ");
  expect(syntaxErrorOf(folder, "part/a.tsx")).toBeUndefined();
  expect(syntaxErrorOf(folder, "worker/gone.ts")).toBeUndefined();
});

test("knows what each part of this system loads", () => {
  const [api, consumers] = [filesOf(root, "api/main.ts"), filesOf(root, "consumers/main.ts")];
  for (const path of ["api/app.ts", "stream/keys.ts", "database/connection.ts"]) expect(api).toContain(path);
  for (const path of ["consumers/registry.ts", "stream/keys.ts"]) expect(consumers).toContain(path);
  expect(api).toContain("api/passwords/thread.ts");
  expect([...consumers].some((path) => path.endsWith(".lua"))).toBe(true);
  // What composes mails, for the console's preview; nothing that sends or consumes.
  const ofConsumers = [...api].filter((path) => path.startsWith("consumers/"));
  expect(ofConsumers.filter((path) => !/^consumers\/email\/(\w|-)+\.ts$|\/templates\//.test(path))).toEqual([]);
  expect([...consumers].filter((path) => path.startsWith("api/"))).toEqual([]);
  expect([...api, ...consumers].filter((path) => /\.(test|md)\b/.test(path))).toEqual([]);
});

test("a prepared program changes its place with every file that it is made of", () => {
  for (const program of Object.values(PROGRAMS)) {
    const files = [...filesOf(root, `${program.name}/program.ts`)];
    expect(files.length).toBeGreaterThan(50);
    const isCovered = (file: string) =>
      isSource(file) && program.folders.some((folder) => file.startsWith(`${folder}/`));
    // A file that is read when it is needed is found where it was.
    const isRead = (file: string) => file === "package.json" || file.endsWith(".bin");
    expect(files.filter((file) => !isRead(file) && !isCovered(file))).toEqual([]);
  }
});
