import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PAYLOADS } from "../consumers/webhooks/payload.ts";
import { signatureHeaders } from "../runtime/webhook/sign.ts";
import { inlineCode, readDocument, tableRows } from "./documents.ts";
import { temporaryDirectory } from "./kubernetes/temporary-directory.ts";

const page = readDocument("docs/webhooks.md");
const folder = temporaryDirectory("webhook-examples");
afterAll(() => folder[Symbol.dispose]());

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEXT_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

describe("docs/webhooks.md", () => {
  test("has every member of every payload", () => {
    let type = "";
    const documented = tableRows(page, "| type | member of `data` |").map(([first = "", member = ""]) => {
      type = inlineCode(first)[0] ?? type;
      return `${type} ${inlineCode(member)[0]}`;
    });
    const members = Object.entries(PAYLOADS).flatMap(([name, schema]) =>
      Object.keys(schema.shape).map((member) => `${name} ${member}`),
    );
    expect(documented).toEqual(members);
  });

  test("links to the JSON Schema of every payload, which demands its members and allows further ones", async () => {
    for (const [type, schema] of Object.entries(PAYLOADS)) {
      const path = `schemas/webhooks/${type}.json`;
      expect(page.text).toContain(`[${type}](${path})`);
      const published: unknown = await Bun.file(join(import.meta.dir, "..", "docs", path)).json();
      expect(published).toMatchObject({ title: type, type: "object", required: Object.keys(schema.shape) });
      expect(published).not.toHaveProperty("additionalProperties");
    }
  });

  test("shows a body that its schema accepts", () => {
    const body: { readonly data?: unknown } = JSON.parse(
      page.blocks.find(({ language }) => language === "json")?.text ?? "{}",
    );
    expect(PAYLOADS["user.signed_up.v1"].strict().safeParse(body.data).success).toBe(true);
  });
});

/** The program that an example needs, and the commands that run it in its folder; the last one verifies. */
const EXAMPLES: Readonly<
  Record<string, { readonly program: string; readonly build?: readonly string[]; readonly verify: readonly string[] }>
> = {
  "verify.mjs": { program: "node", verify: ["node", "verify.mjs"] },
  "verify.py": { program: "python3", verify: ["python3", "verify.py"] },
  "verify.go": { program: "go", build: ["go", "build", "-o", "verify", "verify.go"], verify: ["./verify"] },
};

/** Go compiles its standard library at the first build on a machine. */
const BUILD_TIMEOUT_MS = 240_000;

/** Some languages are not on every machine. */
describe.each(Object.entries(EXAMPLES))("the example %s", (file, { program, build, verify }) => {
  const found = Bun.which(program);
  const text = page.blocks.find((block) => block.file === file)?.text ?? "";
  writeFileSync(join(folder.path, file), text);

  test("is there", () => {
    expect(text).not.toBe("");
  });

  test.skipIf(found === null)(
    "accepts what is genuine, and refuses everything else",
    async () => {
      if (build !== undefined) expect(await Bun.spawn([...build], { cwd: folder.path }).exited).toBe(0);
      const id = Bun.randomUUIDv7();
      const body = '{"type":"user.signed_up.v1","data":{"user_name":"Ánh"}}';
      const headersAt = (at: Date, secrets: readonly string[]) => signatureHeaders(secrets, { id, at, body });
      const codeOf = async (headers: Readonly<Record<string, string>>, sent = body): Promise<number> => {
        const child = Bun.spawn([...verify], {
          cwd: folder.path,
          env: {
            ...process.env,
            SECRET,
            ID: headers["webhook-id"],
            TIMESTAMP: headers["webhook-timestamp"],
            SIGNATURE: headers["webhook-signature"],
          },
          stdin: new Blob([sent]),
          stdout: "ignore",
          stderr: "ignore",
        });
        return child.exited;
      };
      const [now, old] = [new Date(), new Date(Date.now() - 600_000)];
      expect(await codeOf(headersAt(now, [SECRET]))).toBe(0);
      expect(await codeOf(headersAt(now, [NEXT_SECRET, SECRET]))).toBe(0);
      expect(await codeOf(headersAt(now, [NEXT_SECRET]))).toBe(1);
      expect(await codeOf(headersAt(old, [SECRET]))).toBe(1);
      expect(await codeOf(headersAt(now, [SECRET]), `${body} `)).toBe(1);
    },
    BUILD_TIMEOUT_MS,
  );
});
