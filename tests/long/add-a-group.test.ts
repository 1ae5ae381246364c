import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findDeliveries } from "../../database/ledger/status.ts";
import { type Group, WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../eventually.ts";
import { kustomize } from "../kubernetes/kubectl.ts";
import { type KubernetesObject, OVERLAYS, parseObjects } from "../kubernetes/objects.ts";
import { policiesFor } from "../kubernetes/policies/all.ts";
import { openConnections } from "../kubernetes/policies/network.ts";
import { temporaryDirectory } from "../kubernetes/temporary-directory.ts";
import { oursIn } from "../kubernetes/workloads.ts";
import { aSystem, signUpAt } from "../processes.ts";

/** The type checker needs both cores, which other tests may have. */
const CHECK_TIMEOUT_MS = 90_000;
const root = join(import.meta.dir, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const section = readme.split("\n## Add a group\n")[1]?.split("\n## ")[0] ?? "";

/** A block of the section: its file, and its content. */
const blockOf = (language: string): { readonly file: string; readonly content: string } => {
  const [, file, content] = new RegExp(`^\`\`\`${language} file=(\\S+)\\n(.*?)^\`\`\``, "ms").exec(section) ?? [];
  if (file === undefined || content === undefined) throw new Error(`the section has no ${language} block of a file`);
  return { file, content };
};

const NOT_COPIED = new Set(["node_modules", ".git", ".local"]);

/** A copy of the tree, which has its packages in common with this one. */
const copyOfTree = () => {
  const copy = temporaryDirectory("tree");
  const entries = new Bun.Glob("*").scanSync({ cwd: root, dot: true, onlyFiles: false });
  for (const entry of entries) {
    if (!NOT_COPIED.has(entry)) cpSync(join(root, entry), join(copy.path, entry), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy.path, "node_modules"));
  return copy;
};

const tree = copyOfTree();
afterAll(() => tree[Symbol.dispose]());

/** Runs a command in the copy; its exit code, and what it printed. */
const run = async (...command: readonly string[]) => {
  const child = Bun.spawn([process.execPath, ...command], { cwd: tree.path, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, output: `${out}${err}` };
};

const written = blockOf("ts");
const name = dirname(written.file).split("/").at(-1) ?? "";

/** The command of a script that the section names. */
const generate = (): Promise<{ readonly code: number; readonly output: string }> => {
  expect(section).toContain("\nbun run generate\n");
  return run("run", "--silent", "generate");
};

/** Adds the lines that the section's diff marks with a plus below the others, once, even if they are there already. */
const applyDiff = (): void => {
  const { file, content } = blockOf("diff");
  const lines = content.trimEnd().split("\n");
  const textOf = (marks: string) =>
    lines.flatMap((line) => (marks.includes(line.charAt(0)) ? [`${line.slice(1)}\n`] : [])).join("");
  const path = join(tree.path, file);
  const parts = readFileSync(path, "utf8").replace(textOf("+"), "").split(textOf(" "));
  expect(parts).toHaveLength(2);
  writeFileSync(path, parts.join(textOf(" +")));
};

beforeAll(async () => {
  applyDiff();
  rmSync(dirname(join(tree.path, written.file)), { recursive: true, force: true });
  const early = await generate();
  expect(early.output).toStartWith(`the group ${name} has no ${written.file}: write it`);
  expect(early.code).toBe(1);
  mkdirSync(dirname(join(tree.path, written.file)));
  writeFileSync(join(tree.path, written.file), written.content);
  expect(await generate()).toMatchObject({ code: 0 });
});

describe("a group that is added by the words of the README", () => {
  test(
    "is as the type checker and the formatter want it",
    async () => {
      // What the section writes: the rest of the tree does not depend on which groups there are.
      const config = {
        extends: "./tsconfig.json",
        files: [written.file, "stream/groups.ts", "stream/text-modules.d.ts"],
      };
      writeFileSync(join(tree.path, "tsconfig.run.json"), JSON.stringify(config));
      const bin = join("node_modules", ".bin");
      const changed = [dirname(written.file), "consumers/registry.ts", "stream/groups.ts"];
      const checks = await Promise.all([
        run("--bun", join(bin, "tsc"), "--noEmit", "-p", "tsconfig.run.json"),
        run("--bun", join(bin, "biome"), "check", "--linter-enabled=false", ...changed),
      ]);
      expect(checks.map(({ code, output }) => (code === 0 ? "" : output))).toEqual(["", ""]);
    },
    CHECK_TIMEOUT_MS,
  );

  test("works off events by itself, without the settings of other groups", async () => {
    await using system = await aSystem({ tree: tree.path });
    // An empty variable counts as unset.
    const mailSettings = Object.keys(system.environment).filter((setting) => setting.startsWith("MAIL_"));
    const withoutMail = Object.fromEntries(mailSettings.map((setting) => [setting, ""]));
    const [api, consumer] = await Promise.all([system.api(withoutMail), system.consumer(withoutMail, name)]);
    const { eventId } = await signUpAt(api);
    const deliveries = await eventually(async () => {
      const found = await findDeliveries(system.database.db, eventId);
      return found.some(({ group, state }) => group === name && state === "done") && found;
    });
    const states = Object.fromEntries(deliveries.map(({ group, state }) => [group, state]));
    expect(states).toMatchObject({ [name]: "done", [WELCOME_EMAIL.name]: "queued" });
    await eventually(() => consumer.lines.some((line) => line.includes('"audited"') && line.includes(eventId)));
  });
});

describe.each(OVERLAYS)("its manifests in the overlay %s", (overlay) => {
  let objects: readonly KubernetesObject[] = [];
  let groups: readonly Group[] = [];
  beforeAll(async () => {
    objects = parseObjects(kustomize(join(tree.path, "k8s", "overlays", overlay)));
    const copied: typeof import("../../stream/groups.ts") = await import(join(tree.path, "stream", "groups.ts"));
    groups = copied.GROUPS;
  });

  test("are a Deployment, an account, a disruption budget and scaling of its own", () => {
    const own = objects.filter(({ metadata }) => metadata.name === `consumer-${name}`);
    const kinds = own.map(({ kind }) => kind).sort();
    expect(kinds).toEqual(["Deployment", "PodDisruptionBudget", "ScaledObject", "ServiceAccount"]);
  });

  test("keep to every policy", () => {
    expect(groups.map((group) => group.name)).toContain(name);
    const findings = Object.entries(policiesFor(groups)).map(([policy, find]) => [policy, find(objects)]);
    expect(findings.filter(([, found]) => found?.length !== 0)).toEqual([]);
  });

  test("give it neither the mail login nor the mail server, which a group that requires MAIL_SERVER has", () => {
    const loginOf = (group: string) =>
      oursIn(objects)
        .filter(({ object }) => object.metadata.name === `consumer-${group}`)
        .flatMap(({ containers }) => containers.flatMap(({ env }) => env))
        .filter(({ valueFrom }) => valueFrom?.secretKeyRef?.name === "signup-mail");
    const mailPorts = (group: string) =>
      openConnections(objects).filter((open) => new RegExp(`^consumer-${group} -> .*:(587|1025)$`).test(open));
    expect([loginOf(name).length, mailPorts(name).length]).toEqual([0, 0]);
    expect([loginOf(WELCOME_EMAIL.name).length, mailPorts(WELCOME_EMAIL.name).length]).toEqual([2, 1]);
  });
});
