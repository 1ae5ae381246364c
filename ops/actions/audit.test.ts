import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listActions } from "../../database/audit.ts";
import { openDatabase } from "../../database/connection.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { aStranger } from "../../tests/stranger.ts";
import { anOperator, answerOf, deadLetter, GROUP, opsProcess, textOf } from "../operator-for-tests.ts";
import { createAuditLog } from "./audit-log.ts";
import { drop } from "./drop.ts";
import { dropHeld } from "./held.ts";
import { pause, resume } from "./pause.ts";

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await aPipeline();
});
afterAll(() => pipeline[Symbol.asyncDispose]());

const latest = async () => {
  const [action] = await listActions(pipeline.db, { limit: 1 });
  return action;
};

describe("what an operator changes is in the audit log", () => {
  test("who, what, on what, from where, and how it ended", async () => {
    const [eventId = ""] = await deadLetter(pipeline, 2);
    await answerOf(pipeline, "dead", "retry", eventId);
    expect(await latest()).toMatchObject({
      actor: "tester",
      surface: "ops",
      host: "test",
      action: "dead retry",
      group: GROUP,
      arguments: { id: eventId },
      end: { outcome: "done", affected: 1, eventIds: [eventId], error: null },
    });
    await drop(anOperator(pipeline), WELCOME_EMAIL, { kind: "reason", reason: "no such anh@inbox.example" });
    expect(await latest()).toMatchObject({ arguments: { reason: "***" }, end: { outcome: "nothing", affected: 0 } });
  });

  test("an erasure names the user's id alone, a lifted suppression the event", async () => {
    const signup = aSignup();
    const eventId = await pipeline.writeOnly(signup);
    await pipeline.db
      .insertInto("suppressions")
      .values({ email_key: signup.emailKey, reason: "no_such_address", event_id: eventId })
      .execute();
    await answerOf(pipeline, "suppressions", "lift", signup.email);
    const lifted = await latest();
    expect(lifted).toMatchObject({ action: "suppressions lift", end: { outcome: "done", eventIds: [eventId] } });
    await answerOf(pipeline, "erase", signup.email);
    const erased = await latest();
    expect(erased).toMatchObject({ action: "erase", arguments: { user: signup.userId }, end: { outcome: "done" } });
    const everything = JSON.stringify(await listActions(pipeline.db, { limit: 1_000 }));
    expect(everything).not.toContain(signup.userName);
  });

  test("an action that fails ends as failed, by the error's name; one that died has no end", async () => {
    const operator = anOperator(pipeline);
    const broken = {
      ...operator,
      db: openDatabase({ url: "postgres://x@127.0.0.1:1/x", poolSize: 1, applicationName: "t" }),
    };
    expect(await dropHeld(broken, WELCOME_EMAIL, [Bun.randomUUIDv7()]).catch((error: unknown) => error)).toBeInstanceOf(
      Error,
    );
    expect((await latest())?.end).toMatchObject({ outcome: "failed", error: expect.stringContaining("ECONNREFUSED") });

    await operator.audit.begin({ action: "replay", group: GROUP, arguments: {} });
    expect((await latest())?.end).toBeNull();
    const shown = await answerOf(pipeline, "audit", "--action", "replay");
    expect(shown.json).toMatchObject({ actions: [{ outcome: "unknown" }] });
    expect(shown.text((_, text) => text)).toContain("unknown: no end");
  });

  test("an action that its process leaves alone ends as interrupted, whatever it says later", async () => {
    const { audit } = anOperator(pipeline);
    const left = (await audit.begin({ action: "replay", group: GROUP, arguments: {} })) ?? "";
    const ended = (await audit.begin({ action: "replay", group: GROUP, arguments: {} })) ?? "";
    const done = { outcome: "done", affected: 1, eventIds: [], error: null } as const;
    await audit.end({ actionId: ended, ...done });
    await audit.close();
    await audit.end({ actionId: left, ...done });
    const ends = (await listActions(pipeline.db, { limit: 2 })).map(
      ({ actionId, end }) => [actionId, end?.outcome] as const,
    );
    expect(new Map(ends)).toEqual(
      new Map([
        [left, "interrupted"],
        [ended, "done"],
      ]),
    );
    expect(await textOf(pipeline, "audit", "--action", "replay")).toContain("interrupted");
  });

  test("a record that is written too late is of nothing that was done, and ends so", async () => {
    const audit = createAuditLog({
      db: pipeline.ops.db,
      actor: "tester",
      surface: "ops",
      host: "test",
      newId: () => Bun.randomUUIDv7(),
      warn: () => {},
      withinMs: 20,
    });
    await using stranger = await aStranger(pipeline.url, "lock table audit_log in access exclusive mode");
    const refused = await pause(anOperator(pipeline, { audit }), WELCOME_EMAIL).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "NotAudited", message: expect.stringContaining("ETIMEDOUT") });
    await stranger.end("rollback");
    await eventually(async () => (await latest())?.end?.outcome === "interrupted");
    expect(await pipeline.redis.sismember(pipeline.keys.paused, GROUP)).toBe(0);
  });

  test("`ops audit` filters, and the command line says who acts", async () => {
    const environment = {
      DATABASE_URL: pipeline.ops.databaseUrl,
      REDIS_URL: pipeline.ops.redisUrl,
      STREAM_NAME: pipeline.streamName,
    };
    await opsProcess(["resume", GROUP, "--as", "Lan"], environment);
    expect((await latest())?.actor).toMatch(/^Lan \(as .+\)$/);
    const answer = await answerOf(pipeline, "audit", "--by", "Lan", "--group", GROUP, "--since", "1h");
    expect(answer.json).toMatchObject({ actions: [{ action: "resume", end: { outcome: "nothing" } }] });
    expect(await textOf(pipeline, "audit", "--since", "2h", "--by", "nobody")).toBe("no action is recorded");
  });

  test("a dry run changes nothing and is not recorded", async () => {
    const before = (await latest())?.actionId;
    await answerOf(pipeline, "dead", "retry", "--all", "--dry-run");
    expect((await latest())?.actionId).toBe(before ?? "");
  });

  test("nobody's role may change or delete a record", async () => {
    const sql = openDatabase({ url: pipeline.ops.databaseUrl, poolSize: 1, applicationName: "t" });
    const tried = [
      sql.updateTable("audit_log").set({ actor: "nobody" }).execute(),
      sql.deleteFrom("audit_log").execute(),
      sql.updateTable("audit_outcomes").set({ affected: 0 }).execute(),
    ];
    for (const attempt of tried)
      expect(await attempt.catch((error: unknown) => error)).toMatchObject({ code: "42501" });
    await sql.destroy();
  });
});

describe("without Postgres", () => {
  const auditOn = (url: string, warnings: string[], allowsUnrecorded = false) =>
    createAuditLog({
      allowsUnrecorded,
      db: openDatabase({ url, poolSize: 1, applicationName: "t" }),
      actor: "tester",
      surface: "ops",
      host: "test",
      newId: () => Bun.randomUUIDv7(),
      warn: (message) => void warnings.push(message),
    });

  test("nothing is done, and the operator is told what to do in an emergency", async () => {
    const { redisUrl } = pipeline.ops;
    const environment = {
      DATABASE_URL: "postgres://x@127.0.0.1:1/x",
      REDIS_URL: redisUrl,
      STREAM_NAME: pipeline.streamName,
    };
    const isPaused = () => pipeline.redis.sismember(pipeline.keys.paused, GROUP);
    const refused = await opsProcess(["pause", GROUP], environment);
    expect([refused.code, await isPaused()]).toEqual([1, 0]);
    expect(refused.err).toContain("nothing was done: Postgres is away (ECONNREFUSED)");
    const forced = await opsProcess(["pause", GROUP, "--unrecorded"], environment);
    expect([forced.code, await isPaused()]).toEqual([0, 1]);
    expect(forced.err).toStartWith("NOT IN THE AUDIT LOG (Postgres: ECONNREFUSED)");
    await resume(anOperator(pipeline), WELCOME_EMAIL);
  });

  test("what is done all the same is told loudly, to be written down", async () => {
    const warnings: string[] = [];
    const audit = auditOn("postgres://x@127.0.0.1:1/x", warnings, true);
    expect(await pause(anOperator(pipeline, { audit }), WELCOME_EMAIL)).toMatchObject({ changed: true });
    expect(await resume(anOperator(pipeline, { audit }), WELCOME_EMAIL)).toBe(true);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toStartWith("NOT IN THE AUDIT LOG (Postgres: ECONNREFUSED)");
    expect(warnings[0]).toContain('"action":"pause"');
  });

  test("but nothing is done if Postgres answers and refuses the record", async () => {
    const audit = auditOn(pipeline.url.replace(/\/\/[^@]*@/, "//signup_consumer@"), []);
    const refused = await pause(anOperator(pipeline, { audit }), WELCOME_EMAIL).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "NotAudited", message: expect.stringContaining("42501") });
    expect(await pipeline.redis.sismember(pipeline.keys.paused, GROUP)).toBe(0);
  });
});

/** What is given the stores, or an operator, and changes nothing; `erase` finds the user, whom an audited action then erases. */
const READS = new Set([
  ...["countReplay", "countSelected", "createAuditLog", "erase", "find", "groupNamed", "groupsNamed"],
  ...["countInState", "listByState", "listConsumers", "readBudgets"],
  ...["listLetters", "readStatus", "sendSample", "showLetters", "storesGoneAway", "untilStoresAnswer"],
]);

test("every action that changes something is audited, and a command changes nothing but by an action", async () => {
  const folder = import.meta.dir;
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const unaudited: string[] = [];
  for (const file of files) {
    const source = readFileSync(join(folder, file), "utf8");
    for (const [name, value] of Object.entries<unknown>(await import(join(folder, file)))) {
      if (typeof value !== "function" || "audited" in value || READS.has(name)) continue;
      // The rest of a file is arithmetic on values.
      if (new RegExp(`${name} = (async )?\\([^=]*\\b(Operator|Stores|Database|Redis)\\b`).test(source)) {
        unaudited.push(`${file}: ${name}`);
      }
    }
  }
  expect(unaudited).toEqual([]);

  const commands = join(folder, "..", "commands");
  const reading =
    /\/(uuid|audit|connection|events\/types|ledger\/cancel|ledger\/counts|group-status|groups|users\/suppressions)\.ts$/;
  const direct = readdirSync(commands).flatMap((file) => {
    const source = readFileSync(join(commands, file), "utf8").replaceAll(/import type[^;]*;/g, "");
    const imported = [...source.matchAll(/"(\.\.\/\.\.\/(?:database|stream)\/[^"]*)"/g)].map(([, path = ""]) => path);
    return imported
      .filter((path) => !file.endsWith(".test.ts") && !reading.test(path))
      .map((path) => `${file}: ${path}`);
  });
  expect(direct).toEqual([]);
});
