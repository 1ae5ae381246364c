import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isProblemCode, PROBLEM_TYPES } from "../api/problem-types.ts";
import { DELIVERY_STATES } from "../database/ledger/states.ts";
import description from "../package.json" with { type: "json" };
import { SETTINGS } from "../settings/schema.ts";
import { RECEIVER_SETTINGS } from "../settings/webhooks.ts";
import { keysOf } from "../stream/keys.ts";
import { matchesPattern } from "../stream/routing.ts";
import { shownCommands, TREATMENTS, treatmentOf } from "./doc-commands.ts";
import {
  brokenLinks,
  commandsIn,
  documents,
  inlineCode,
  missingPaths,
  readDocument,
  root,
  tableRows,
} from "./documents.ts";
import { faultOf, opsWords } from "./observability/operator-texts.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const codeOf = (cell = "") => inlineCode(cell)[0] ?? "";

/** Where a page gives paths as an overlay's kustomization has them. */
const FURTHER: Readonly<Record<string, readonly string[]>> = { "docs/kubernetes.md": ["k8s/overlays/production"] };
/** Placeholders, and what the shell or another program reads. */
const NO_SETTINGS = ["EVENT_ID", "MIMALLOC_ALLOW_THP", "NO_COLOR"];

/** A setting of a receiver of webhooks, whatever its name. */
const RECEIVER_SETTING = new RegExp(`^WEBHOOK_[A-Z]+(_[A-Z]+)*_(${Object.keys(RECEIVER_SETTINGS).join("|")})(_FILE)?$`);

const settingNames = (): ReadonlySet<string> => {
  const sources = [...new Bun.Glob("observability/*.ts").scanSync({ cwd: root })].map(read).join("\n");
  return new Set([
    ...Object.entries(SETTINGS).flatMap(([name, { secret }]) => (secret === true ? [name, `${name}_FILE`] : [name])),
    ...(sources.match(/\bOTEL_[A-Z_]+/g) ?? []),
    ...NO_SETTINGS,
  ]);
};

test("there are pages to hold against the tree", () => {
  expect(documents().length).toBeGreaterThan(15);
});

describe.each(documents().map((document) => [document.path, document] as const))("%s", (path, document) => {
  test("links only to files and headings that exist", () => {
    expect(brokenLinks(document)).toEqual([]);
  });

  test("names only files and folders that exist", () => {
    expect(missingPaths(document, FURTHER[path])).toEqual([]);
  });

  test("names only scripts and programs that exist", () => {
    const scripts = [...document.text.matchAll(/\bbun run (?:--silent )?([a-z][\w-]*)/g)].map(
      ([, script = ""]) => script,
    );
    expect(scripts.filter((script) => !(script in description.scripts))).toEqual([]);
    const programs = commandsIn(document).flatMap((line) => /^(?:\$ )?bun ([\w./-]+\.ts)\b/.exec(line)?.[1] ?? []);
    expect(programs.filter((program) => !existsSync(join(root, program)))).toEqual([]);
  });

  test("contains only lines of `ops` that its command line accepts", async () => {
    const lines = commandsIn(document)
      .map(opsWords)
      .filter((words) => words !== undefined);
    const faults = await Promise.all(lines.map(async (words) => [words.join(" "), await faultOf(words)] as const));
    expect(faults.filter(([, fault]) => fault !== undefined)).toEqual([]);
  });

  test("names only settings that exist", () => {
    const known = settingNames();
    const named = document.lines
      .flatMap(inlineCode)
      .flatMap((code) => code.match(/\b[A-Z]+(?:_[A-Z]+)+\b(?!\*)/g) ?? []);
    expect(named.filter((name) => !(known.has(name) || RECEIVER_SETTING.test(name)))).toEqual([]);
  });
});

test("every command is run by a test, or only checked for a reason", () => {
  const shown = documents().flatMap((document) => shownCommands(document).map((command) => [document.path, command]));
  expect(shown.length).toBeGreaterThan(80);
  expect(shown.filter(([page = "", command = ""]) => treatmentOf(page, command) === undefined)).toEqual([]);
  const used = new Set(shown.map(([page = "", command = ""]) => treatmentOf(page, command)));
  expect(TREATMENTS.filter((each) => !used.has(each))).toEqual([]);
  const runs = TREATMENTS.flatMap(({ runBy }) => runBy ?? []);
  expect(runs.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(TREATMENTS.filter(({ runBy, because }) => (runBy === undefined) === (because === undefined))).toEqual([]);
});

describe("README.md", () => {
  test("is a front door: at most 150 lines", () => {
    expect(read("README.md").split("\n").length).toBeLessThanOrEqual(150);
  });
});

describe("ARCHITECTURE.md", () => {
  const architecture = readDocument("ARCHITECTURE.md");

  test("is at most 200 lines", () => {
    expect(architecture.text.split("\n").length).toBeLessThanOrEqual(200);
  });

  test("has every folder on its map", () => {
    const folders = [...new Bun.Glob("*/*").scanSync({ cwd: root, onlyFiles: false })].map(
      (path) => path.split("/")[0],
    );
    const ours = [...new Set(folders)].filter((folder) => folder !== "node_modules");
    const mapped = tableRows(architecture, "| folder |").map(([folder]) => codeOf(folder));
    expect(mapped.toSorted()).toEqual(ours.map((folder) => `${folder}/`).toSorted());
  });

  test("names only functions that their files declare", () => {
    const rows = tableRows(architecture, "| file | functions |");
    expect(rows.length).toBeGreaterThan(20);
    const missing = rows.flatMap(([file, functions = ""]) => {
      const source = read(codeOf(file));
      const isDeclared = (name: string) =>
        new RegExp(`\\b(?:const|class) ${name}\\b|^\\s+(?:async )?${name}[(:]`, "m").test(source);
      return inlineCode(functions)
        .filter((name) => !isDeclared(name))
        .map((name) => [codeOf(file), name]);
    });
    expect(missing).toEqual([]);
  });

  test("lists every loop, each with its interval", () => {
    const rows = tableRows(architecture, "| file | run by |");
    const loops = [...new Bun.Glob("{api,consumers}/**/*.ts").scanSync({ cwd: root })].filter(
      (path) => !path.endsWith(".test.ts") && read(path).includes("startLoop({"),
    );
    expect(rows.map(([file]) => codeOf(file)).toSorted()).toEqual(loops.toSorted());
    for (const [file, , interval = ""] of rows) {
      const everyMs = /const (?:MAX_)?EVERY_MS = ([\d_]+);/.exec(read(codeOf(file)))?.[1]?.replaceAll("_", "");
      const shown = Number(everyMs) < 1_000 ? `${everyMs} ms` : `${Number(everyMs) / 1_000} s`;
      if (everyMs !== undefined) expect([file, interval.startsWith(shown)]).toEqual([file, true]);
    }
  });

  test("draws every state of a delivery, and no other", () => {
    const drawing = architecture.blocks.find(({ text }) => text.startsWith("stateDiagram"))?.text ?? "";
    const drawn = [...drawing.matchAll(/^ *(\S+) --> ([^\s:]+)/gm)].flatMap(([, from = "", to = ""]) => [from, to]);
    expect(new Set(drawn.filter((state) => state !== "[*]"))).toEqual(new Set<string>(DELIVERY_STATES));
  });
});

describe("docs/stream.md", () => {
  const page = readDocument("docs/stream.md");

  test("has every key", () => {
    const further: Readonly<Record<string, readonly [string, string]>> = {
      budget: ["NAME", ""],
      budgetConsumers: ["NAME", ""],
      quota: ["NAME", ""],
      quotaOnly: ["NAME", ""],
      quotaRefused: ["NAME", ""],
      limit: ["NAME", "DIGEST"],
      admitted: ["DIGEST", ""],
      running: ["GROUP", "CONSUMER"],
      shares: ["SERVER", ""],
      lead: ["SERVER", "GROUP"],
    };
    const keys = Object.entries(keysOf("signup")).map(([name, key]) =>
      typeof key === "string" ? key : key(...(further[name] ?? ["GROUP", "EVENT_ID"])),
    );
    expect(
      tableRows(page, "| key |")
        .map(([key]) => codeOf(key))
        .toSorted(),
    ).toEqual(keys.toSorted());
  });

  test("gives patterns that bind as it says", () => {
    const rows = tableRows(page, "| pattern |");
    expect(rows.length).toBeGreaterThan(2);
    for (const [pattern, bound = "", unbound = ""] of rows) {
      for (const type of inlineCode(bound)) expect([type, matchesPattern(codeOf(pattern), type)]).toEqual([type, true]);
      for (const type of inlineCode(unbound))
        expect([type, matchesPattern(codeOf(pattern), type)]).toEqual([type, false]);
    }
  });
});

test("docs/http.md gives problems their status", () => {
  const rows = tableRows(readDocument("docs/http.md"), "| status |");
  const codes = rows.flatMap(([, cell = ""]) => inlineCode(cell));
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !isProblemCode(code))).toEqual([]);
  for (const [status = "", cell = ""] of rows) {
    for (const code of inlineCode(cell).filter(isProblemCode)) {
      expect([code, status.split(", ").includes(String(PROBLEM_TYPES[code].status))]).toEqual([code, true]);
    }
  }
});
