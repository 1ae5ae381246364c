import { strict as assert } from "node:assert";
import { Redis } from "ioredis";
import { openDatabase } from "../../database/connection.ts";
import { listSignOuts, saveSignOut } from "../../database/console-sign-outs.ts";
import { beatJob, listJobs, stopJob } from "../../database/jobs.ts";
import { asDatabaseRole } from "../../local/postgres.ts";
import { asRedisUser } from "../../local/redis.ts";
import { randomHex } from "../../observability/trace-context.ts";
import { createAuditLog } from "../../ops/actions/audit-log.ts";
import { previewAction } from "../../ops/actions/deliveries/act.ts";
import { startJob } from "../../ops/actions/deliveries/job.ts";
import { runWords } from "../../ops/app.ts";
import type { Answer } from "../../ops/command.ts";
import { aScreen } from "../../ops/terminal/screen-for-tests.ts";
import { loadSettings } from "../../settings/load.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { groupsOf, WELCOME_EMAIL } from "../../stream/groups.ts";
import { CAPTURED } from "../celery/captured.ts";
import { eventually } from "../eventually.ts";
import { parseMail, refusal } from "../mail-server.ts";
import { silentLog } from "../pipeline.ts";
import { eventAt, type RunningProcess, type System, signUpAt } from "../processes.ts";

/** Refuses who is `gone` for good, and who comes `later` once; loses the connection of who is `cut` once, after the body. */
export const moodyMailServer = () => {
  const met = new Set<string>();
  const isFirst = (address: string): boolean => !met.has(address) && met.add(address).size > 0;
  return {
    onRcptTo: ({ address }: { readonly address: string }, _session: unknown, done: (error?: Error) => void) => {
      if (address.startsWith("gone")) return done(refusal(550, "5.1.1 no such user"));
      if (address.startsWith("later") && isFirst(address)) return done(refusal(450, "4.2.1 mailbox busy"));
      done();
    },
    beforeReply: (_raw: string, mail: { readonly to: readonly string[]; readonly connection: { close(): void } }) => {
      const [to = ""] = mail.to;
      if (to.startsWith("cut") && isFirst(to)) mail.connection.close();
    },
  };
};

const untilState = async (api: RunningProcess, name: string, eventId: string, state: string): Promise<void> => {
  const current = async () => (await eventAt(api, eventId)).state;
  const arrived = eventually(async () => (await current()) === state);
  await arrived.catch(async () => assert.equal(await current(), state, name));
};

const post = (api: RunningProcess, path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
  fetch(new URL(path, api.url), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/** What people and machines do. Returns the events of a mail that was sent, and of one that is dead. */
export const useTheService = async (system: System, api: RunningProcess) => {
  const address = (name: string) => `${name}-${own}@inbox.example`;
  // A second attempt of the test must meet nobody of the first.
  const own = randomHex(4);
  const authorization = { Authorization: `Bearer ${system.environment["SERVICE_TOKEN"]}` };
  const keyed = { "Idempotency-Key": `key-${own}` };
  const body = { user_name: `keyed-${own}`, email: address("keyed"), password: "correct horse battery staple" };
  for (const expected of [201, 201]) assert.equal((await post(api, "/api/v1/user/", body, keyed)).status, expected);
  assert.equal((await post(api, "/api/v1/user/", body)).status, 400);
  const [good, gone, later, cut] = await Promise.all(
    ["good", "gone", "later", "cut"].map((name) => signUpAt(api, { email: address(name), locale: "en" })),
  );
  assert.ok(good && gone && later && cut);
  // Before its state is final: who asks then needs no channel.
  const live = fetch(new URL(`/api/v1/events/${later.eventId}/stream`, api.url));
  await Promise.all([
    untilState(api, "good", good.eventId, "sent"),
    untilState(api, "later", later.eventId, "sent"),
    untilState(api, "cut", cut.eventId, "sent"),
    untilState(api, "gone", gone.eventId, "dead"),
  ]);
  const mail = await eventually(async () => {
    const to = system.mailServer.taken.find((taken) => taken.to[0] === address("good"));
    return to && (await parseMail(to.raw)).text;
  });
  const link = new URL(/https?:\S+\/confirm\?\S+/.exec(mail)?.[0] ?? "");
  const token = new URLSearchParams({ token: link.searchParams.get("token") ?? "" });
  assert.equal((await fetch(new URL("/confirm", api.url), { method: "POST", body: token })).status, 200);
  const notMe = new URL(/https?:\S+\/not-me\?\S+/.exec(mail)?.[0] ?? "");
  const refusal = new URLSearchParams({ token: notMe.searchParams.get("token") ?? "" });
  const complaint = [
    {
      event: "spamreport",
      sg_event_id: "1",
      email: address("later"),
      "smtp-id": `<${later.eventId}.welcome@toblug.example>`,
    },
  ];
  assert.equal((await post(api, "/api/v1/user/resend", { email: address("later") })).status, 202);

  const { id: userId } = await system.database.db
    .selectFrom("users")
    .select("id")
    .where("email", "=", address("good"))
    .executeTakeFirstOrThrow();
  await system.database.db.insertInto("accounts").values({ user_id: userId, currency: "VND", balance: 500 }).execute();
  const payment = { transaction_id: `payment-${own}`, user_id: userId, amount: 200, currency: "VND" };
  assert.equal((await post(api, "/api/v1/payments", payment, authorization)).status, 202);
  await eventually(async () => {
    const answer = await fetch(new URL(`/api/v1/payments/payment-${own}`, api.url), { headers: authorization });
    const found: { readonly status?: string } = await answer.json();
    return found.status === "completed";
  });
  const backlog = await fetch(new URL("/api/v1/backlog/welcome-email", api.url), { headers: authorization });
  assert.equal(backlog.status, 200);
  const user = await fetch(new URL(`/api/v1/user/${userId}`, api.url), { headers: authorization });
  assert.ok(user.status < 500);
  assert.match(await (await live).text(), /sent/);
  assert.equal((await post(api, "/api/v1/bounces", complaint, authorization)).status, 200);
  assert.equal((await fetch(new URL("/not-me", api.url), { method: "POST", body: refusal })).status, 200);
  return { good: good.eventId, gone: gone.eventId, userId, address };
};

/** The same where a known address is not disclosed, and hashes cost more than they did. */
export const useItInPrivate = async (
  system: System,
  api: RunningProcess,
  { address }: Awaited<ReturnType<typeof useTheService>>,
): Promise<void> => {
  const password = "correct horse battery staple";
  const keyed = { "Idempotency-Key": `private-${address("key")}` };
  const body = { user_name: `again-${randomHex(4)}`, email: address("good"), password };
  for (const expected of [201, 201]) assert.equal((await post(api, "/api/v1/user/", body, keyed)).status, expected);
  const authorization = { Authorization: `Bearer ${system.environment["SERVICE_TOKEN"]}` };
  const verified = await post(api, "/api/v1/user/verify", { email: address("keyed"), password }, authorization);
  const { matches }: { readonly matches?: boolean } = await verified.json();
  assert.equal(matches, true);
};

/** Runs commands of `ops` as an operator has them: one connection each, as in a process of its own. */
export const anOperatorOf = async (system: System) => {
  const { DATABASE_URL = "", REDIS_URL = "" } = system.environment;
  const settings = loadSettings("ops", {
    ...system.environment,
    DATABASE_URL: asDatabaseRole(DATABASE_URL, "signup_ops"),
    REDIS_URL: asRedisUser(REDIS_URL, "ops"),
  });
  const db = openDatabase({ url: settings.DATABASE_URL, poolSize: 3, applicationName: "ops" });
  const redis = openCommandConnection({
    url: settings.REDIS_URL,
    name: "ops",
    log: silentLog,
    commandTimeoutMs: 5_000,
  });
  await untilReady(redis, 5_000);
  const output: string[] = [];
  const stream = { write: (text: string) => void output.push(text) };
  const audit = createAuditLog({
    db,
    actor: "tester",
    surface: "ops",
    host: "test",
    newId: () => Bun.randomUUIDv7(),
    warn: (message) => void output.push(message),
  });
  const context = {
    db,
    redis,
    keys: system.keys,
    groups: groupsOf(settings),
    signal: new AbortController().signal,
    onProgress: () => {},
    at: () => {},
    audit,
    settings,
    say: () => {},
    localStart: undefined,
    screen: aScreen(),
    now: () => new Date(),
  };
  return {
    /** For what no command does, but the console. */
    context,
    run: async (...words: readonly string[]): Promise<Answer> => {
      const answers: Answer[] = [];
      await runWords(words, {
        process: { stdout: stream, stderr: stream },
        conclude: async (produce) => void answers.push(await produce()),
        connected: (_, work) => work(context),
      });
      const [answer] = answers;
      assert.ok(answer, `${words.join(" ")}: ${output.join("")}`);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await db.destroy();
    },
  };
};

/** A message of a Celery that wrote to another Redis: whom nobody knows. */
const importFromCelery = async (
  { environment: { REDIS_URL = "" } }: System,
  run: (...words: readonly string[]) => Promise<Answer>,
): Promise<void> => {
  const keyPrefix = `celery-${randomHex(4)}:`;
  const broker = new Redis(REDIS_URL);
  await broker.lpush(`${keyPrefix}celery`, CAPTURED.plain);
  await run("import", "celery", "--broker", REDIS_URL, "--key-prefix", keyPrefix, "--create-users");
  await broker.del(`${keyPrefix}celery`);
  broker.disconnect();
};

/** Every command that asks or changes something. */
export const operate = async (system: System, events: Awaited<ReturnType<typeof useTheService>>) => {
  await using operator = await anOperatorOf(system);
  const { run } = operator;
  await run("status");
  await run("doctor");
  await run("find", events.address("good"));
  await run("find", events.gone);
  await run("dead", "list");
  await run("dead", "show", events.gone);
  await previewAction(operator.context, "retry", WELCOME_EMAIL, { kind: "all", state: "dead" });
  const jobId = Bun.randomUUIDv7();
  const nothing = { kind: "chosen" as const, chosen: {} };
  const { ended } = await startJob(operator.context, {
    jobId,
    actor: "tester",
    action: "retry",
    selection: nothing,
    total: 0,
  });
  await stopJob(operator.context.db, jobId, "tester");
  await beatJob(operator.context.db, jobId, 0);
  await ended;
  await listJobs(operator.context.db, 1);
  const signOut = { role: "operator", name: "tester", sessionId: null, endedAt: new Date() };
  await saveSignOut(operator.context.db, signOut, new Date());
  await listSignOuts(operator.context.db);
  await run("suppressions", "list");
  await run("suppressions", "lift", events.address("gone"));
  const followed = run("tail", "--count", "1");
  await run("consumers");
  await run("dead", "retry", events.gone);
  await run("replay", "--group", "welcome-email", "--from", "1h", "--again", events.good);
  await run("pause", "welcome-email");
  for (const perSecond of ["50", "500"]) await run("rate", "welcome-email", perSecond);
  await run("rate", "welcome-email", "--clear");
  await run("rate");
  // What only the mail server or an hour could bring about.
  const payment = await system.database.db
    .selectFrom("deliveries")
    .select("event_id")
    .where("group_name", "=", "payments")
    .executeTakeFirstOrThrow();
  await system.database.db
    .updateTable("deliveries")
    .set({ state: "held" })
    .where("group_name", "=", "payments")
    .execute();
  await run("held", "list");
  await run("held", "release", payment.event_id);
  await run("held", "drop", payment.event_id);
  await run("resume", "welcome-email");
  await run("webhook", "enable", "crm");
  // An event that is older than the group.
  await system.database.db.deleteFrom("deliveries").where("group_name", "=", "webhook-crm").execute();
  await run("replay", "--group", "webhook-crm", "--from", "1h");
  await run("dead", "drop", "--all");
  await run("group", "drop", "reminder-email", "--yes", "--force");
  await run("erase", events.userId);
  await run("audit");
  await importFromCelery(system, run);
  await followed;
};
