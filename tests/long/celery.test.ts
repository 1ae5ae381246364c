import { expect, test } from "bun:test";
import { join } from "node:path";
import { Redis } from "ioredis";
import { asDatabaseRole } from "../../local/postgres.ts";
import { eventIdOfTask } from "../../ops/actions/celery/event-id.ts";
import { anOldService, celery, copiesIn, importWith, many, WELCOME, welcome } from "../celery/old-service.ts";
import { eventually } from "../eventually.ts";
import { anOwnRedis } from "../own-redis.ts";
import { aSystem } from "../processes.ts";

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
