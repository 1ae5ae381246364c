import { expect, test } from "bun:test";
import { join } from "node:path";
import { opsProcess } from "../../ops/operator-for-tests.ts";
import description from "../../package.json" with { type: "json" };
import { PROGRAMS, placesOf } from "../../runtime/prepared.ts";
import { root } from "../documents.ts";
import { eventually } from "../eventually.ts";

test("a prepared program does what the sources do, and is made after the first command", async () => {
  const { own } = placesOf(root, PROGRAMS.ops);
  expect(await opsProcess(["--version"], {})).toMatchObject({ code: 0 });
  await eventually(() => Bun.file(join(own, "program.js")).exists(), 60_000);
  const [version, script] = await Promise.all([opsProcess(["--version"], {}), opsProcess(["completion", "bash"], {})]);
  expect(version).toEqual({ out: `${description.version}\n`, err: "", code: 0 });
  expect(script.out).toContain(`'${process.execPath}' '${join(root, "ops", "main.ts")}'`);
}, 90_000);
