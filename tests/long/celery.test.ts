import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startChild } from "../../local/child.ts";
import { asDatabaseRole } from "../../local/postgres.ts";
import { startRedis } from "../../local/redis.ts";
import { findRedis } from "../../local/redis-program.ts";
import { eventIdOfTask } from "../../ops/actions/celery/event-id.ts";
import { opsProcess } from "../../ops/operator-for-tests.ts";
import { type CeleryProgram, findCelery } from "../celery/celery-program.ts";
import { eventually } from "../eventually.ts";
import { ownPort } from "../own-port.ts";
import { anOwnRedis } from "../own-redis.ts";
import { aSystem, type System } from "../processes.ts";

const folder = join(import.meta.dir, "..", "celery");
const WELCOME = "app.tasks.send_email_welcome";

type Call = readonly [task: string, args: readonly unknown[], kwargs: object, options: object];

const welcome = (name: string, options: object = {}): Call => [WELCOME, [`${name}@inbox.example`, name], {}, options];
const many = (count: number, name: string, options: object = {}): readonly Call[] =>
  Array.from({ length: count }, (_, at) => welcome(`${name}-${at}`, options));

/** The old service: its producers and its workers. */
const anOldService = (
  { python, env: own }: CeleryProgram,
  broker: string,
  smtpPort: number,
  more: Readonly<Record<string, string>> = {},
) => {
  const env = { ...own, BROKER: broker, SMTP_PORT: String(smtpPort), ACKS_LATE: "yes", TRACK_STARTED: "yes", ...more };
  return {
    async call(calls: readonly Call[], settings: Readonly<Record<string, string>> = {}) {
      const child = Bun.spawn([python, join(folder, "old_app.py")], {
        env: { ...env, ...settings },
        stdin: new Blob([JSON.stringify(calls)]),
        stdout: "ignore",
        stderr: "pipe",
      });
      const [fault, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
      expect([code, fault]).toEqual([0, ""]);
    },
    worker: () =>
      startChild({
        command: [
          ...[python, "-m", "celery", "-A", "old_app", "worker", "--pool", "solo", "--concurrency", "1"],
          ...["--without-gossip", "--without-mingle", "--without-heartbeat"],
        ],
        cwd: folder,
        env,
        onLine: () => {},
        deathSignal: "TERM",
      }),
  };
};

/** How many mails each person has got. */
const copiesIn = ({ mailServer }: System) => {
  const mailed = new Map<string, number>();
  for (const { to } of mailServer.taken) for (const each of to) mailed.set(each, (mailed.get(each) ?? 0) + 1);
  return mailed;
};

/** Runs `ops import celery` with these words, as operators do. */
const importWith = async ({ environment }: System, ...words: readonly string[]) => {
  const env = { ...environment, DATABASE_URL: asDatabaseRole(environment["DATABASE_URL"] ?? "", "signup_ops") };
  const { out, err, code } = await opsProcess(["import", "celery", "--yes", "--json", ...words], env);
  return code === 0 ? JSON.parse(out) : { code, err };
};

const celery = findCelery();
if (celery === undefined) console.warn("skipped: no Celery here, and Debian's python3-celery cannot be fetched");

test.skipIf(celery === undefined)(
  "a queue of a real Celery, half processed, retried and killed, is taken over beside a worker: everybody is mailed once",
  async () => {
    if (celery === undefined) return;
    await using system = await aSystem();
    await using broker = await anOwnRedis();
    const { mailServer, environment } = system;
    const old = anOldService(celery, broker.url, mailServer.port);
    const redis = new Redis(broker.url);
    const ops = { ...environment, DATABASE_URL: asDatabaseRole(environment["DATABASE_URL"] ?? "", "signup_ops") };
    const importNow = (...flags: readonly string[]) => importWith(system, "--broker", broker.url, ...flags);
    const copies = () => copiesIn(system);

    // A worker sends five, retries one in ten minutes, and is killed at the next one, which it has not acknowledged.
    const killed = old.worker();
    await old.call([
      ...many(5, "sent"),
      welcome("retry", { task_id: "retried" }),
      welcome("hang", { task_id: "hung" }),
    ]);
    await eventually(async () => (await redis.get("celery-task-meta-hung"))?.includes("STARTED"), 60_000);
    await killed.stop("SIGKILL", 5_000);
    expect(copies().size).toBe(5);
    expect(await redis.hlen("unacked")).toBeGreaterThan(0);

    // More of all kinds, with nobody there.
    await old.call([
      ...many(20, "waits"),
      ...many(4, "urgent", { priority: 9 }),
      ...many(3, "soon", { countdown: 2 }),
      welcome("later", { countdown: 7_200, task_id: "later" }),
      [WELCOME, [], { email_to: "named@inbox.example", username: "named" }, {}],
      [WELCOME, ["alone@inbox.example"], {}, {}],
      ["app.tasks.resize_avatar", [1], {}, {}],
    ]);
    await old.call(many(2, "first-protocol"), { PROTOCOL: "1" });
    const before = await redis.dbsize();
    const preview = await importNow("--create-users", "--dry-run");
    expect(preview.taken.queued).toBeGreaterThanOrEqual(31);
    expect(preview.left).toMatchObject({ other_task: 1, wrong_arguments: 1, held_by_worker: 1 });
    expect(await redis.dbsize()).toBe(before);
    expect(await importNow()).toMatchObject({ taken: {}, left: { no_such_user: preview.taken.queued } });

    // Beside a worker that still runs.
    const beside = old.worker();
    await eventually(() => copies().size > 5, 60_000);
    expect(await importNow("--create-users")).toMatchObject({ dry_run: false });
    // What it has taken in the meantime, it sends, or gives back at its end.
    await beside.stop("SIGTERM", 20_000);
    expect(await importNow("--create-users", "--take-unacked")).toMatchObject({ stopped: false });
    await old.call([["app.tasks.resize_avatar", [2], {}, {}]]);
    expect(await importNow("--create-users", "--take-unacked", "--strict")).toMatchObject({ code: 1 });

    const api = await system.api();
    expect(api.pid).toBeGreaterThan(0);
    await system.consumer({}, "welcome-email");
    // 5 sent, 1 hung, 20 + 4 + 3 + 1 + 2 waited.
    await eventually(() => copies().size >= 36, 60_000);
    const state = async (taskId: string) =>
      system.database.db
        .selectFrom("deliveries")
        .select(["state", "attempts", "uncertain"])
        .where("event_id", "=", eventIdOfTask(taskId))
        .where("group_name", "=", "welcome-email")
        .executeTakeFirst();
    await eventually(async () => (await state("hung"))?.state === "done", 30_000);
    expect(await state("hung")).toEqual({ state: "done", attempts: 1, uncertain: 1 });
    // Retried once by Celery; due in ten minutes.
    expect(await state("retried")).toEqual({ state: "queued", attempts: 1, uncertain: 0 });
    expect(await state("later")).toEqual({ state: "queued", attempts: 0, uncertain: 0 });

    // A bridge for services that still call delay().
    const bridge = Bun.spawn(
      [
        ...[process.execPath, join(import.meta.dir, "..", "..", "ops", "main.ts"), "import", "celery"],
        ...["--broker", broker.url, "--create-users", "--follow", "--json"],
      ],
      { env: { PATH: process.env["PATH"], ...ops }, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    await old.call(many(3, "bridged"));
    await eventually(() => copies().size >= 39, 60_000);
    // It survives its broker.
    await broker.kill();
    await broker.start();
    await old.call(many(2, "after-outage"));
    await eventually(() => copies().size >= 41, 60_000);
    bridge.kill("SIGTERM");
    const [out, code] = await Promise.all([new Response(bridge.stdout).text(), bridge.exited]);
    expect(code).toBe(0);
    expect(JSON.parse(out).taken.queued).toBeGreaterThanOrEqual(5);

    expect([...copies()].filter(([, count]) => count !== 1)).toEqual([]);
    expect([...copies().keys()].filter((to) => /retry|later|alone/.test(to))).toEqual([]);
    redis.disconnect();
  },
  240_000,
);

/** A Redis of its own that takes encrypted connections only. */
const anEncryptedBroker = async (): Promise<AsyncDisposable & { readonly port: number }> => {
  const local = join(folder, "..", "..", ".local");
  mkdirSync(local, { recursive: true });
  const directory = mkdtempSync(join(local, "test-celery-"));
  const port = await ownPort();
  const certificates = join(folder, "..", "certificates");
  const file = (name: string) => join(certificates, name);
  const server = await startRedis({
    program: findRedis(join(local, "redis"), () => {}),
    dataDirectory: join(directory, "data"),
    port: await ownPort(),
    durable: false,
    flags: [
      ...["--tls-port", String(port), "--tls-auth-clients", "no", "--tls-ca-cert-file", file("authority.pem")],
      ...["--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key")],
    ],
  });
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

/** As no producer writes them, or none that we can read. */
const broken = (plain: string): readonly (readonly [reason: string, text: string])[] => {
  const message = JSON.parse(plain);
  const withBody = (body: string, changed: object = {}) => JSON.stringify({ ...message, body, ...changed });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return [
    ["unreadable_body", withBody("*** no base64 ***")],
    ["unreadable_body", withBody(message.body.slice(3))],
    ["unreadable_body", withBody(base64("[[1, 2"))],
    ["unreadable_body", withBody(base64('{"args": []}'))],
    ["compressed", withBody(base64("x"), { headers: { ...message.headers, compression: "application/x-gzip" } })],
    ["unknown_encoding", withBody(message.body, { "content-type": "application/x-python-serialize" })],
    ["unknown_envelope", JSON.stringify([message])],
    ["unknown_envelope", JSON.stringify({ ...message, properties: null })],
    ["not_json", "{"],
    ["not_json", ""],
  ];
};

test.skipIf(celery === undefined)(
  "an encrypted broker, in a database of its own, with results on another server: what cannot be read stays where it is, in order, and is listed",
  async () => {
    if (celery === undefined) return;
    await using system = await aSystem();
    await using encrypted = await anEncryptedBroker();
    await using elsewhere = await anOwnRedis();
    const authorities = join(folder, "..", "certificates", "authority.pem");
    const broker = `rediss://localhost:${encrypted.port}/3`;
    const results = `${elsewhere.url}/5`;
    const old = anOldService(celery, broker, system.mailServer.port, { RESULTS: results, AUTHORITIES: authorities });
    const redis = new Redis(`${broker}`, { tls: { ca: readFileSync(authorities, "utf8") } });
    const backend = new Redis(results);
    // As the app's own URL has it.
    const celerysUrl = `${broker}?ssl_cert_reqs=required&ssl_ca_certs=${authorities}`;
    const importNow = (...words: readonly string[]) =>
      importWith(
        system,
        "--broker",
        celerysUrl,
        "--results",
        results,
        "--create-users",
        "--timezone",
        "Asia/Ho_Chi_Minh",
        ...words,
      );

    // Sent by a worker. Of one the result is all that is left, of another the mark alone, which its code keeps with the broker.
    const worker = old.worker();
    await old.call([welcome("result", { task_id: "result" }), welcome("mark", { task_id: "mark" })]);
    await eventually(async () => {
      const found = await backend.mget("celery-task-meta-result", "celery-task-meta-mark");
      return found.every((text) => text?.includes("SUCCESS"));
    }, 60_000);
    await worker.stop("SIGTERM", 20_000);
    await redis.del("email_sent:result");
    await backend.del("celery-task-meta-mark");
    expect(await redis.exists("email_sent:mark")).toBe(1);

    await old.call([
      welcome("result", { task_id: "result" }),
      welcome("mark", { task_id: "mark" }),
      ...[0, 3, 6, 9].map((priority) => welcome(`priority-${priority}`, { priority })),
      welcome("past", { eta: "2020-02-03T04:05:06" }),
      welcome("past-zone", { eta: "2020-02-03T04:05:06.789+07:00" }),
      welcome("future", { eta: "2099-02-03T04:05:06", task_id: "future" }),
      [WELCOME, [], { email_to: "named@inbox.example", username: "named" }, {}],
      [WELCOME, ["half@inbox.example"], { username: "half" }, {}],
      ["legacy.tasks.send_email_welcome", ["legacy@inbox.example", "legacy"], {}, {}],
    ]);
    await old.call([
      welcome("gzip", { compression: "gzip" }),
      welcome("bzip2", { compression: "bzip2" }),
      welcome("pickle", { serializer: "pickle" }),
      ["app.tasks.resize_avatar", [1], {}, { priority: 6 }],
      [WELCOME, ["three@inbox.example", "three", 3], {}, {}],
      [WELCOME, ["twice@inbox.example", "twice"], { username: "twice" }, {}],
      [WELCOME, [7, "number"], {}, {}],
    ]);
    const plain = (await redis.lrange("celery", -1, -1))[0] ?? "";
    const wrong = broken(plain);
    await redis.lpush("celery", ...wrong.map(([, text]) => text));
    const unread = await redis.lrange("celery", 0, wrong.length + 5);

    const report = await importNow("--examples", "100");
    expect(report.taken).toEqual({ queued: 10, done: 2 });
    const left = { compressed: 3, unknown_encoding: 2, unreadable_body: 4, unknown_envelope: 2, not_json: 2 };
    expect(report.left).toEqual({ ...left, other_task: 1, wrong_arguments: 3 });
    expect(report.examples.filter(({ became }: { became: string }) => became in report.left)).toHaveLength(17);
    expect(await redis.lrange("celery", 0, -1)).toEqual(unread);
    expect(await redis.llen("celery\x06\x166")).toBe(1);
    expect(await importNow("--dry-run", "--strict")).toMatchObject({ code: 1 });

    await system.api();
    await system.consumer({}, "welcome-email");
    await eventually(() => copiesIn(system).size >= 11, 60_000);
    expect([...copiesIn(system)].filter(([, count]) => count !== 1)).toEqual([]);
    expect([...copiesIn(system).keys()].toSorted()).toEqual(
      [
        ...["result", "mark", "past", "past-zone", "named", "half", "legacy"],
        ...[0, 3, 6, 9].map((priority) => `priority-${priority}`),
      ]
        .map((name) => `${name}@inbox.example`)
        .toSorted(),
    );
    const future = await system.database.db
      .selectFrom("deliveries")
      .select("state")
      .where("event_id", "=", eventIdOfTask("future"))
      .where("group_name", "=", "welcome-email")
      .executeTakeFirst();
    expect(future?.state).toBe("queued");
    // An authority that nobody named, and a wrong password: nothing is taken, and the fault is told.
    expect(await importWith(system, "--broker", broker)).toMatchObject({
      code: 1,
      err: expect.stringContaining("certificate"),
    });
    redis.disconnect();
    backend.disconnect();
  },
  240_000,
);
