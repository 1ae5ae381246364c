import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { pausesOf } from "../../database/groups/pauses.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOwnRedis } from "../../tests/own-redis.ts";
import { aPipeline, type Pipeline, silentLog } from "../../tests/pipeline.ts";
import { anApp, TEST_SETTINGS } from "../app-for-tests.ts";
import { aConsole, TOKENS } from "./console-for-tests.ts";
import { SECTIONS } from "./sections.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await aPipeline();
});
afterAll(() => pipeline[Symbol.asyncDispose]());

const PAGES = SECTIONS.map(({ path }) => path);

describe("signing in", () => {
  test("without a token of either role there is no console", async () => {
    const { app } = anApp(pipeline.db, {
      console: { stores: () => ({ db: pipeline.db, redis: pipeline.redis }), keys: pipeline.keys },
    });
    for (const path of [...PAGES, "/console/sign-in", "/console/assets/console.css"]) {
      expect((await app.request(path)).status).toBe(404);
    }
  });

  test("every page sends who is not signed in to the form, and from there back", async () => {
    const { app, signInWith } = aConsole(pipeline);
    for (const path of PAGES) {
      const answer = await app.request(`${path}?a=b`);
      const next = `/console/sign-in?next=${encodeURIComponent(`${path}?a=b`)}`;
      expect([answer.status, answer.headers.get("location")]).toEqual([303, next]);
    }
    expect(await (await app.request("/console/sign-in?next=/console/x?y=1")).text()).toContain(
      'name="next" value="/console/x?y=1"',
    );
    for (const next of ["//evil.example", "https://evil.example", "/console\\evil", "/consoles", "/"]) {
      const answer = await signInWith({ name: "lan", token: TOKENS.reader, next });
      expect(answer.headers.get("location")).toBe("/console");
    }
  });

  test("the cookie is out of reach for scripts and for other sites", async () => {
    const { signInWith } = aConsole(pipeline);
    const answer = await signInWith({ name: "lan", token: TOKENS.operator });
    expect(answer.headers.get("set-cookie")).toMatch(
      /^__Host-console=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const { signInWith: inTheClear } = aConsole(pipeline, {
      settings: { ...TEST_SETTINGS, PUBLIC_URL: "http://localhost:3000", CONSOLE_TOKEN: TOKENS.operator },
    });
    const local = await inTheClear({ name: "lan", token: TOKENS.operator }, { Origin: "http://localhost:3000" });
    expect(local.headers.get("set-cookie")).toMatch(
      /^console=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
  });

  test("ten wrong tokens close the form for a minute, even to the right one", async () => {
    const { signInWith } = aConsole(pipeline);
    const wrong = { name: "lan", token: "wrong" };
    for (let time = 0; time < 10; time += 1) expect((await signInWith(wrong)).status).toBe(401);
    const answer = await signInWith({ name: "lan", token: TOKENS.operator });
    expect([answer.status, answer.headers.has("retry-after"), answer.headers.has("set-cookie")]).toEqual([
      429,
      true,
      false,
    ]);
  });

  test.each([[""], ["x".repeat(41)], ["lan (as root)"], ["a\nb"], ["<b>"]])("a name may not be %p", async (name) => {
    const { signInWith } = aConsole(pipeline);
    expect((await signInWith({ name, token: TOKENS.operator })).status).toBe(400);
  });

  test("a form of another site is refused", async () => {
    const { signInWith } = aConsole(pipeline);
    const answer = await signInWith({ name: "lan", token: TOKENS.operator }, { Origin: "https://evil.example" });
    expect([answer.status, answer.headers.has("set-cookie")]).toEqual([403, false]);
  });

  test("a link of another site, with which no strict cookie comes, is asked for again", async () => {
    const { enter, app } = aConsole(pipeline);
    const answer = await app.request("/console", { headers: { "Sec-Fetch-Site": "cross-site" } });
    expect(await answer.text()).toContain('http-equiv="refresh" content="0"');
    expect((await (await enter()).get("/console")).status).toBe(200);
  });
});

describe("who is signed in", () => {
  test("sees pages that nobody keeps, frames or indexes", async () => {
    const person = await aConsole(pipeline).enter("reader");
    for (const path of PAGES) {
      const answer = await person.get(path);
      expect([answer.status, answer.headers.get("cache-control"), answer.headers.get("x-robots-tag")]).toEqual([
        200,
        "no-store",
        "noindex",
      ]);
      const policy = answer.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("script-src 'self'; style-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(await answer.text()).not.toMatch(/<[^>]+ (?:style|on\w+)=/);
    }
  });

  test("is signed out by a form of their own session alone", async () => {
    const person = await aConsole(pipeline).enter("reader");
    const foreign = await person.post("/console/sign-out", { csrf: "of another session" });
    expect([foreign.status, foreign.headers.has("set-cookie")]).toEqual([403, false]);
    const own = await person.post("/console/sign-out");
    expect([own.status, own.headers.get("set-cookie")]).toEqual([303, expect.stringContaining("Max-Age=0")]);
  });

  test("is signed out of every replica: a copy of the cookie is worth nothing", async () => {
    const [one, other] = [aConsole(pipeline), aConsole(pipeline)];
    const [lan, mai] = [await one.enter("operator", "lan"), await one.enter("operator", "mai")];
    const copied = other.withCookie(lan.cookie);
    expect((await copied.get("/console/session")).status).toBe(200);
    await lan.post("/console/sign-out");
    // Who acts is asked for at once, who looks within two seconds.
    expect((await copied.post("/console/act", { group: "welcome-email", do: "pause" })).status).toBe(303);
    expect(await pausesOf(pipeline.db).list()).toEqual([]);
    await eventually(async () => (await copied.get("/console/session")).status === 303);
    expect((await lan.get("/console/session")).status).toBe(303);
    expect((await mai.get("/console/session")).status).toBe(200);
  });

  test("is signed out everywhere by name and role, and may sign in again", async () => {
    const console = aConsole(pipeline);
    const [here, there] = [await console.enter("reader", "an"), await console.enter("reader", "an")];
    const other = await console.enter("operator", "an");
    await here.post("/console/sign-out", { scope: "everywhere" });
    expect((await there.get("/console/session")).status).toBe(303);
    expect((await other.get("/console/session")).status).toBe(200);
    expect((await (await console.enter("reader", "an")).get("/console/session")).status).toBe(200);
  });

  test("resumes nothing while Redis is silent, also not later, and is told so", async () => {
    await using own = await anOwnRedis();
    const redis = openCommandConnection({ log: silentLog, name: "test", url: own.url, commandTimeoutMs: 10_000 });
    await untilReady(redis, 5_000);
    const pauses = pausesOf(pipeline.db);
    await pauses.save({ group: "welcome-email", reason: null, by: "lan" });
    await redis.sadd(pipeline.keys.paused, "welcome-email");
    const console = { keys: pipeline.keys, stores: () => ({ db: pipeline.ops.db, redis }) };
    const person = await aConsole(pipeline, { console }).enter();
    own.freeze();
    const acted = await person.post("/console/act", { group: "welcome-email", do: "resume" });
    expect([acted.status, await acted.text()]).toEqual([503, expect.stringContaining("Redis is away")]);
    own.thaw();
    expect(await redis.smembers(pipeline.keys.paused)).toEqual(["welcome-email"]);
    expect(await pauses.remove("welcome-email")).toBe(true);
    redis.disconnect();
  });

  test("may look and not act while Postgres is away; and is told that a copy of the cookie may look, too", async () => {
    const db = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
    const console = { keys: pipeline.keys, stores: () => ({ db, redis: pipeline.ops.redis }) };
    const person = await aConsole(pipeline, { console }).enter();
    expect((await person.get("/console/session")).status).toBe(200);
    const acted = await person.post("/console/act", { group: "welcome-email", do: "pause" });
    expect([acted.status, await acted.text()]).toEqual([503, expect.stringContaining("Nothing was done.")]);
    const out = await person.post("/console/sign-out");
    expect([out.status, await out.text()]).toEqual([503, expect.stringContaining("in this browser only")]);
    expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
  });
});
