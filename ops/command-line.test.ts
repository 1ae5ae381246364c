import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import description from "../package.json" with { type: "json" };
import { eventually } from "../tests/eventually.ts";
import { aPipeline, type Pipeline, redisUrl } from "../tests/pipeline.ts";
import { withAddressesIn, withLocalAddresses } from "./local-addresses.ts";
import { deadLetter, environmentOf, GROUP, opsProcess } from "./operator-for-tests.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await aPipeline();
});
afterAll(() => pipeline[Symbol.asyncDispose]());

const here = () => environmentOf(pipeline);

const ops = (words: readonly string[], environment: Readonly<Record<string, string>> = here()) =>
  opsProcess(words, environment);

describe.concurrent("the command line", () => {
  test.each([
    [[], "no command was given"],
    [["frobnicate"], "there is no command frobnicate"],
    [["stats"], "did you mean `status`?"],
    [["dead"], "expected one of: dead list, dead show, dead retry, dead drop"],
    [["dead", "bury"], "usage\n  bun run ops dead list"],
    [
      ["find"],
      "usage: bun run ops find [--show-address] [--data DIR] [--json] <event id | user id | trace id | address | user name>",
    ],
    [["dead", "retry"], "expected <event id | letter id> | --reason R | --all"],
    [["dead", "retry", "--all", "--reason", "x"], "only one of"],
    [["dead", "list", "--limit", "many"], 'Failed to parse "many" for limit: expected a whole number'],
    [["held", "release", "x"], "x: expected an event id"],
    [["status", "--colour"], "--colour"],
    [["status", "now"], 'encountered "now"'],
    [["replay", "--group", "welcome-email"], "--from"],
    [["group", "drop", "welcome-email", "--yes"], "give --force"],
    [["preview", "--html"], "name one mail"],
    [["preview", "welcome", "--locale", "vi", "--output", "a", "--send-to", "b"], "expected only one of --output"],
    [["status", "--interval", "5s"], "--interval and --count need --watch"],
    [["status", "--watch", "--interval", "1ms"], "expected a length of time such as 2s"],
  ])(
    "%p is wrong usage: exit 2, nothing on standard output, the fault and the usage on standard error",
    async (words, hint) => {
      // Without settings: usage is checked first.
      const { out, err, code } = await ops(words, {});
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err.toLowerCase()).toContain(hint.toLowerCase());
      expect(err.toLowerCase()).toContain("usage");
    },
  );

  test("has help for all commands and for each, with examples", async () => {
    const [all, group, one, asWord] = await Promise.all([
      ops(["help"], {}),
      ops(["dead", "help"], {}),
      ops(["dead", "retry", "--help"], {}),
      ops(["help", "dead", "retry"], {}),
    ]);
    expect(all).toMatchObject({ code: 0, err: "" });
    expect(all.out).toContain("suppressions list|lift");
    expect(group).toMatchObject({ code: 0, err: "" });
    expect(group.out).toContain("bun run ops dead show [--group GROUP] [--data DIR] [--json] <event id | letter id>");
    expect(one.code).toBe(0);
    expect(one.out).toContain("bun run ops dead retry --reason retries_exhausted --dry-run");
    expect(asWord).toEqual(one);
    const { out } = await ops(["help", "suppressions", "--json"], {});
    expect(JSON.parse(out)).toMatchObject({
      commands: [
        { name: "suppressions list" },
        { name: "suppressions lift", usage: expect.stringContaining("<address>") },
      ],
    });
  });

  test("loads no package but the one that reads its words before a command runs", () => {
    const source = `await import("${import.meta.dir}/app.ts"); console.log(JSON.stringify(Object.keys(require.cache)));`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", source]);
    const loaded: string[] = JSON.parse(stdout.toString());
    expect(loaded).toContain(`${import.meta.dir}/commands/status.ts`);
    const packages = loaded.flatMap(
      (path) => path.split("/node_modules/")[1]?.match(/^@[^/]+\/[^/]+|^[^/]+/)?.[0] ?? [],
    );
    expect([...new Set(packages)]).toEqual(["@stricli/core"]);
  });

  test("shows the version of package.json", async () => {
    expect(await ops(["--version"], {})).toEqual({ code: 0, err: "", out: `${description.version}\n` });
  });

  test("--json prints one document, in snake_case, for an error too", async () => {
    const [eventId = ""] = await deadLetter(pipeline, 1);
    const words = [
      ["status"],
      ["doctor"],
      ["find", eventId],
      ["dead", "list"],
      ["held", "list"],
      ["suppressions", "list"],
    ];
    const answers = await Promise.all(words.map((line) => ops([...line, "--json"])));
    for (const answer of answers) expect(JSON.parse(answer.out)).toBeObject();
    expect(JSON.parse(answers[2]?.out ?? "")).toMatchObject({
      signups: [{ deliveries: [{ event_id: eventId, state: "dead" }] }],
    });
    expect(JSON.parse(answers[3]?.out ?? "")).toMatchObject({ letters: [{ event_id: eventId }] });
    const fault = await ops(["pause", "nobody", "--json"]);
    expect(fault.code).toBe(1);
    expect(JSON.parse(fault.out)).toMatchObject({ error: { name: "NotFound" } });
    const usage = await ops(["dead", "list", "--limit", "0", "--json"], {});
    expect(usage.code).toBe(2);
    expect(JSON.parse(usage.out)).toMatchObject({ error: { name: "UsageError" } });
  });

  test("a document longer than a pipe holds is written to it once", async () => {
    await using own = await aPipeline();
    const { redis, keys } = own;
    const letter = ["event_id", "", "reason", "long", "detail", "x".repeat(1_000), "in_ledger", "0"];
    for (let at = 0; at < 60; at += 1) await redis.xadd(keys.dead(GROUP), "*", ...letter);
    const words = ["dead", "list", "--reason", "long", "--limit", "60", "--json"];
    const { out } = await ops(words, environmentOf(own));
    expect(out.length).toBeWithin(65_537, 131_072);
    // A shell's pipe: the runtime makes sockets.
    const command = ['"$0" "$1"', ...words, "| wc -c"].join(" ");
    const child = Bun.spawnSync(["sh", "-c", command, process.execPath, join(import.meta.dir, "main.ts")], {
      env: { PATH: process.env["PATH"], ...environmentOf(own) },
    });
    expect(Number(child.stdout.toString())).toBe(out.length);
  });

  test("exits 0 when done, 1 when nothing was found", async () => {
    // On a busy machine it may say that a store does not answer in time.
    const isDone = async () => {
      const result = await ops(["status"]);
      return result.code === 0 && result;
    };
    const [status, missing] = await Promise.all([eventually(isDone), ops(["find", "nobody"])]);
    expect(status).toMatchObject({ code: 0, err: "" });
    expect(status.out).not.toContain("\x1b");
    expect(missing).toMatchObject({ code: 1, out: "nothing was found\n" });
  });

  test("exits 78 on bad settings, and names them", async () => {
    const { err, code } = await ops(["status"], { DATABASE_URL: "mysql://x", REDIS_URL: redisUrl() });
    expect(code).toBe(78);
    expect(err).toContain("DATABASE_URL");
  });

  test("names the store that is away instead of waiting for it, and needs only the stores it uses", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const away = { ...here(), REDIS_URL: `redis://127.0.0.1:${silent.port}` };
    const mute = { ...here(), DATABASE_URL: `postgres://app@127.0.0.1:${silent.port}/x` };
    const [noRedis, noPostgres, doctor, find, status] = await Promise.all([
      ops(["dead", "list"], away),
      ops(["held", "list", "--json"], mute),
      ops(["doctor"], mute),
      ops(["find", "nobody"], away),
      ops(["status"], away),
    ]);
    silent.stop(true);
    expect(noRedis).toMatchObject({ code: 1, out: "" });
    expect(noRedis.err).toContain("Redis is away");
    expect(noRedis.err).not.toContain("Postgres");
    expect(status.code).toBe(1);
    expect(status.out).toMatch(/^Redis does not answer \(asked from here\): .*none is lost/);
    expect(noPostgres.code).toBe(1);
    expect(JSON.parse(noPostgres.out)).toMatchObject({ error: { name: "StoreAway" } });
    expect(doctor.code).toBe(1);
    expect(doctor.out).toContain("Postgres is away");
    expect(doctor.out).toContain("maxmemory-policy");
    expect(find.out).toBe("nothing was found\n");
  });
});

describe("the local system", () => {
  const stores = { DATABASE_URL: "postgres://local/x", REDIS_URL: "redis://local" };
  const settings = { MAIL_SERVER: "127.0.0.1" };
  const local = { stores, settings };

  test("that --data names is used, whatever is set", () => {
    const folder = mkdtempSync(join(tmpdir(), "ops-data-"));
    const set = { DATABASE_URL: "postgres://other/x", REDIS_URL_FILE: "/run/secrets/url", STREAM_NAME: "mine" };
    expect(() => withAddressesIn(set, folder)).toThrow(`start it (bun run start --data ${folder})`);
    const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = stores;
    writeFileSync(
      join(folder, "addresses.json"),
      JSON.stringify({ databaseUrl, redisUrl, settings, inbox: "http://x" }),
    );
    expect(withAddressesIn(set, folder)).toEqual({ ...stores, ...settings, STREAM_NAME: "mine" });
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["is used if nothing is set", {}, { ...stores, ...settings }],
    ["completes its own addresses", { REDIS_URL: "redis://local" }, { ...stores, ...settings }],
    ["leaves what is set", { MAIL_SERVER: "smtp.example" }, { ...stores, MAIL_SERVER: "smtp.example" }],
    ["is ignored if another store is named", { REDIS_URL: "redis://other" }, { REDIS_URL: "redis://other" }],
  ])("%s", (_, environment, expected) => {
    expect(withLocalAddresses(environment, local)).toEqual(expected);
  });

  test.each([{ REDIS_URL: "redis://other" }, { DATABASE_URL_FILE: "/run/secrets/url" }])(
    "that is not running changes nothing of %p",
    (environment) => {
      expect(withLocalAddresses(environment, undefined)).toEqual(environment);
    },
  );

  test("that is not running is what is wrong if nothing is set", () => {
    expect(() => withLocalAddresses({}, undefined)).toThrow("the local system is not running; start it");
  });
});
