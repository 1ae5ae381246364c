import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import description from "../package.json" with { type: "json" };
import { readDocument, root } from "./documents.ts";
import { aSystem } from "./processes.ts";
import { runExample } from "./shell-example.ts";

/** Pages whose `sh` blocks run as they stand, one after the other, against one system. */
const PAGES = ["README.md", "docs/http.md", "docs/operating.md", "docs/faq.md"];

test("the examples of the README, docs/http.md, docs/operating.md and docs/faq.md work as they stand", async () => {
  await using system = await aSystem();
  const api = await system.api();
  await system.consumer();
  const examples = PAGES.flatMap((page) =>
    readDocument(page)
      .blocks.filter(({ language }) => language === "sh")
      .map(({ text }) => text),
  );
  expect(examples.length).toBeGreaterThanOrEqual(5);
  const outputs: string[] = [];
  for (const example of examples) {
    const text = example.replaceAll("http://localhost:3000", api.url);
    const { output, errors, code } = await runExample(text, { env: system.environment, cwd: root });
    expect([example, errors, code]).toEqual([example, errors, 0]);
    outputs.push(output);
  }
  const [signup = "", keyed = "", again = "", followed = "", client = "", operated = ""] = outputs;
  expect(signup).toContain('"status":"queued"');
  expect(again).toBe(keyed);
  expect(followed).toContain('"state":"sent"');
  expect(client).toContain("sent: Delivered to your mail provider.");
  expect(operated).toContain("welcome-email");
});

test("the README names the pinned Bun", () => {
  const { packageManager } = description;
  const readme = readFileSync(join(root, "README.md"), "utf8");
  for (const script of ["start", "test"]) expect(readme).toContain(`npx -y ${packageManager} run ${script}`);
  expect(readFileSync(join(root, ".ci", "run"), "utf8")).toContain(`npx -y ${packageManager} run test`);
});
