import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startRedis } from "../../local/redis.ts";
import { findRedis } from "../../local/redis-program.ts";
import { eventIdOfTask } from "../../ops/actions/celery/event-id.ts";
import { anOldService, celery, copiesIn, importWith, WELCOME, welcome } from "../celery/old-service.ts";
import { eventually } from "../eventually.ts";
import { ownPort } from "../own-port.ts";
import { anOwnRedis } from "../own-redis.ts";
import { aSystem } from "../processes.ts";

const folder = join(import.meta.dir, "..", "celery");

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
    ["compressed", withBody(base64("x"), { headers: { ...message.headers, compression: "application/x-bz2" } })],
    ["unreadable_body", withBody(base64("x"), { headers: { ...message.headers, compression: "application/x-gzip" } })],
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
    const unread = await redis.lrange("celery", 0, wrong.length + 4);

    const report = await importNow("--examples", "100");
    expect(report.taken).toEqual({ queued: 11, done: 2 });
    const left = { compressed: 2, unknown_encoding: 2, unreadable_body: 5, unknown_envelope: 2, not_json: 2 };
    expect(report.left).toEqual({ ...left, other_task: 1, wrong_arguments: 3 });
    expect(report.examples.filter(({ became }: { became: string }) => became in report.left)).toHaveLength(17);
    expect(await redis.lrange("celery", 0, -1)).toEqual(unread);
    expect(await redis.llen("celery\x06\x166")).toBe(1);
    expect(await importNow("--dry-run", "--strict")).toMatchObject({ code: 1 });

    await system.api();
    await system.consumer({}, "welcome-email");
    await eventually(() => copiesIn(system).size >= 12, 60_000);
    expect([...copiesIn(system)].filter(([, count]) => count !== 1)).toEqual([]);
    expect([...copiesIn(system).keys()].toSorted()).toEqual(
      [
        ...["result", "mark", "past", "past-zone", "named", "half", "legacy", "gzip"],
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
