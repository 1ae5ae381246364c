import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { aPipeline, type Pipeline, redisUrl } from "../tests/pipeline.ts";
import { withLocalAddresses } from "./local-addresses.ts";
import { bury } from "./operator-for-tests.ts";

const MAIN = join(import.meta.dir, "main.ts");

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await aPipeline();
});
afterAll(() => pipeline[Symbol.asyncDispose]());

const here = () => ({ DATABASE_URL: pipeline.url, REDIS_URL: redisUrl(), STREAM_NAME: pipeline.streamName });

/** Runs the process itself. */
const ops = async (words: readonly string[], environment: Readonly<Record<string, string>> = here()) => {
  const child = Bun.spawn([process.execPath, MAIN, ...words], {
    env: { PATH: process.env["PATH"], ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
};

describe("the command line", () => {
  test.each([
    [[], "no command was given"],
    [["frobnicate"], "there is no command frobnicate"],
    [["dead"], "expected one of: dead list, dead show, dead retry, dead drop"],
    [["find"], "usage: bun run ops find <event id | user id | address | user name>"],
    [["dead", "retry"], "expected <event id | letter id> | --reason R | --all"],
    [["dead", "retry", "--all", "--reason", "x"], "only one of"],
    [["dead", "list", "--limit", "many"], "--limit many: expected a whole number"],
    [["status", "--colour"], "--colour"],
    [["status", "now"], "now is too much"],
    [["replay", "--group", "welcome-email"], "expected --from"],
    [["group", "drop", "welcome-email", "--yes"], "give --force"],
  ])("%p is wrong usage: exit 2, nothing on standard output, and a word that helps", async (words, hint) => {
    // Told also where no settings are: usage first.
    const { out, err, code } = await ops(words, {});
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(hint);
    expect(err.toLowerCase()).toContain("usage");
  });

  test("helps: of all, and of each with examples", async () => {
    const [all, one] = await Promise.all([ops(["help"], {}), ops(["dead", "retry", "--help"], {})]);
    expect(all).toMatchObject({ code: 0, err: "" });
    expect(all.out).toContain("suppressions lift <address>");
    expect(one.code).toBe(0);
    expect(one.out).toContain("bun run ops dead retry --reason retries_exhausted --dry-run");
  });

  test("--json gives one document, in snake_case, also for a fault", async () => {
    const [eventId = ""] = await bury(pipeline, 1);
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
      signups: [{ mail: { event_id: eventId, state: "dead" } }],
    });
    expect(JSON.parse(answers[3]?.out ?? "")).toMatchObject({ letters: [{ event_id: eventId }] });
    const fault = await ops(["pause", "nobody", "--json"]);
    expect(fault.code).toBe(1);
    expect(JSON.parse(fault.out)).toMatchObject({ error: { name: "NotFound" } });
  });

  test("exits 0 when it is done, 1 when nothing was found", async () => {
    const [status, missing] = await Promise.all([ops(["status"]), ops(["find", "nobody"])]);
    expect(status).toMatchObject({ code: 0, err: "" });
    expect(status.out).not.toContain("\x1b");
    expect(missing).toMatchObject({ code: 1, out: "nothing was found\n" });
  });

  test("exits 78 on bad settings, and names them", async () => {
    const { err, code } = await ops(["status"], { DATABASE_URL: "mysql://x", REDIS_URL: redisUrl() });
    expect(code).toBe(78);
    expect(err).toContain("DATABASE_URL");
  });

  test("says which store is away rather than wait for it, and needs only what it uses", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const away = { ...here(), REDIS_URL: `redis://127.0.0.1:${silent.port}` };
    const mute = { ...here(), DATABASE_URL: `postgres://app@127.0.0.1:${silent.port}/x` };
    const [noRedis, noPostgres, doctor, find] = await Promise.all([
      ops(["status"], away),
      ops(["held", "list", "--json"], mute),
      ops(["doctor"], mute),
      ops(["find", "nobody"], away),
    ]);
    silent.stop(true);
    expect(noRedis).toMatchObject({ code: 1, out: "" });
    expect(noRedis.err).toContain("Redis is away");
    expect(noRedis.err).not.toContain("Postgres");
    expect(noPostgres.code).toBe(1);
    expect(JSON.parse(noPostgres.out)).toMatchObject({ error: { name: "StoreAway" } });
    expect(doctor.code).toBe(1);
    expect(doctor.out).toContain("Postgres is away");
    expect(doctor.out).toContain("maxmemory-policy");
    expect(find.out).toBe("nothing was found\n");
  }, 30_000);
});

describe("the local system", () => {
  const local = { DATABASE_URL: "postgres://local/x", REDIS_URL: "redis://local" };

  test.each([
    ["is used where nothing is set", {}, local],
    ["completes what is its own", { REDIS_URL: "redis://local" }, local],
    ["is left alone where another store is named", { REDIS_URL: "redis://other" }, { REDIS_URL: "redis://other" }],
  ])("%s", (_, environment, expected) => {
    expect(withLocalAddresses(environment, local)).toEqual(expected);
  });

  test("that does not run changes nothing", () => {
    expect(withLocalAddresses({}, undefined)).toEqual({});
  });
});
