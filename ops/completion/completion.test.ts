import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GROUPS } from "../../stream/groups.ts";
import { opsProcess } from "../operator-for-tests.ts";
import type { Shell } from "./scripts.ts";

const GROUP_NAMES = GROUPS.map(({ name }) => name).join(" ");

const scriptFor = async (shell: Shell, WEBHOOKS = ""): Promise<string> => {
  const { out, err, code } = await opsProcess(["completion", shell], { WEBHOOKS });
  expect({ err, code }).toEqual({ err: "", code: 0 });
  return out;
};

const run = async (command: readonly string[], input: string) => {
  const child = Bun.spawn([...command], { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
};

/** Some shells are not on every machine; the script's content is checked all the same. */
const expectSyntax = async (shell: Shell, script: string): Promise<void> => {
  const path = Bun.which(shell);
  if (path !== null) expect(await run([path, "-n"], script)).toEqual({ out: "", err: "", code: 0 });
};

describe("completion", () => {
  test.each([
    ["d", "doctor dead deliveries"],
    ["st", "status"],
    ["status --", "--watch --interval --count --data --json --help"],
    ["-", "--help --version"],
    ["dead ", "list show retry drop --help"],
    ["dead retry --", "--reason --all --since --before --yes --dry-run --group --as --data --json --help"],
    ["dead list --group ", GROUP_NAMES],
    ["dead list --limit ", ""],
    ["find dead --s", "--show-address"],
    ["pause welcome-", "welcome-email"],
    ["completion ", "bash zsh fish --data --json --help"],
  ])("in bash: ops %p offers %p", async (line, offered) => {
    const words = ["ops", ...line.split(" ")].map((word) => `'${word}'`).join(" ");
    const ask = `COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _ops; echo "\${COMPREPLY[*]}"`;
    const script = await scriptFor("bash");
    expect(await run(["bash", "--norc"], `${script}\n${ask}`)).toEqual({ out: `${offered}\n`, err: "", code: 0 });
  });

  test("the groups of webhooks are offered", async () => {
    expect(await scriptFor("bash", "crm,billing")).toContain(`${GROUP_NAMES} webhook-crm webhook-billing`);
  });

  test("those of a system that runs on this machine, by its folder", async () => {
    const data = mkdtempSync(join(tmpdir(), "ops-completion-"));
    const addresses = { databaseUrl: "postgres://x", redisUrl: "redis://x", settings: { WEBHOOKS: "crm" } };
    writeFileSync(join(data, "addresses.json"), JSON.stringify(addresses));
    const { out } = await opsProcess(["completion", "fish", "--data", data], {});
    rmSync(data, { recursive: true });
    expect(out).toContain("webhook-crm");
  });

  test("in zsh: describes commands and flags, and offers the names of groups", async () => {
    const script = await scriptFor("zsh");
    await expectSyntax("zsh", script);
    expect(script).toContain("compdef _ops ops");
    expect(script).toContain("'retry:Queue dead letters again'");
    expect(script).toContain("'--dry-run:Count what would be done, and do nothing'");
    expect(script).toContain("('dead list:--group') compadd -- 'welcome-email'");
  });

  test("in fish: describes commands and flags, and offers the names of groups", async () => {
    const script = await scriptFor("fish");
    await expectSyntax("fish", script);
    const retry = "complete -c ops -n '__ops_route \\'dead retry\\''";
    expect(script).toContain("complete -c ops -n '__ops_route \\'dead\\'' -a 'retry' -d 'Queue dead letters again'");
    expect(script).toContain(`${retry} -l 'dry-run' -d 'Count what would be done, and do nothing'`);
    expect(script).toContain(`${retry} -l 'group' -x -a '${GROUP_NAMES}'`);
  });

  test("defines ops where there is none, so that it can be completed", async () => {
    const { out } = await run(["bash", "--norc"], `${await scriptFor("bash")}\nops --version`);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
