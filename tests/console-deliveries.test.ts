import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { TEST_SETTINGS } from "../api/app-for-tests.ts";
import { aConsole, type Person, TOKENS } from "../api/console/console-for-tests.ts";
import { listActions } from "../database/audit.ts";
import { beginJob, findJob, listJobs, stopJob } from "../database/jobs.ts";
import { readBacklog } from "../database/ledger/counts.ts";
import { type JobOrder, startJob } from "../ops/actions/deliveries/job.ts";
import { anOperator, deadLetter, GROUP } from "../ops/operator-for-tests.ts";
import { groupsOf } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline } from "./pipeline.ts";
import { aReceiver } from "./webhook-receiver.ts";

let pipeline: Pipeline;
let operator: Person;
let reader: Person;
beforeAll(async () => {
  pipeline = await aPipeline();
  const { enter } = aConsole(pipeline);
  [operator, reader] = await Promise.all([enter("operator"), enter("reader", "an")]);
});
afterAll(() => pipeline[Symbol.asyncDispose]());

const LIST = "/console/deliveries";

/** The fields that a form of the page would send. */
const fieldsOf = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name = "", value = ""]) => [
      name,
      value.replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
    ]),
  );

/** Has done what is queued: else it would die again with what a test dead-letters. */
const doWhatIsQueued = async (): Promise<void> => {
  const consumer = await pipeline.consumer(anOutbox().work, { concurrency: 100 });
  await eventually(async () => (await readBacklog(pipeline.db, GROUP)).unfinished === 0);
  await consumer.stop();
};

const previewOf = async (form: Record<string, string>) => {
  const answer = await operator.post(`${LIST}/preview`, form);
  return { status: answer.status, html: await answer.text() };
};

describe("deliveries in the console", () => {
  test("a list shows the newest, its counts by reason, and where it goes on", async () => {
    const eventIds = await deadLetter(pipeline, 60, "policy");
    const html = await operator.read(LIST);
    expect(html).toContain("the mail server refused this mail by policy (5.7.x)");
    expect(html).toContain(`60 of ${GROUP}`);
    expect(eventIds.filter((eventId) => html.includes(`/console/find/${eventId}`)).length).toBe(50);
    const older = /rel="next" href="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const next = await operator.read(older);
    expect(eventIds.filter((eventId) => next.includes(`/console/find/${eventId}`)).length).toBe(10);
    expect(await operator.read(`${LIST}?state=dead&reason=other`)).toContain(
      "No delivery is dead in any group, by this reason and time.",
    );
  });

  test("all of a filter are retried once the number is typed, and the job says what became of them", async () => {
    await deadLetter(pipeline, 60, "mailbox_full");
    const { html } = await previewOf({ state: "dead", scope: "all", action: "retry" });
    expect(html).toContain("120 are queued for their consumers");
    expect(html).toContain(`UTC; 120 of ${GROUP}`);
    expect(html).toContain("Type 120 to confirm");
    const wrong = await operator.post(`${LIST}/act`, { ...fieldsOf(html), confirm: "12" });
    expect([wrong.status, (await listJobs(pipeline.db, 1)).length]).toEqual([422, 0]);
    const begun = await operator.post(`${LIST}/act`, { ...fieldsOf(html), confirm: "120" });
    const job = begun.headers.get("location") ?? "";
    expect(job).toMatch(/^\/console\/deliveries\/jobs\/[0-9a-f-]{36}$/);
    await eventually(async () => (await reader.read(job)).includes("<strong>done</strong>"));
    expect(await reader.read(job)).toContain("120 are queued");
    expect(await operator.read(`${LIST}/jobs`)).toContain("done, 120 of 120; lan");
    await doWhatIsQueued();
  });

  test("chosen ones are discarded without a number", async () => {
    const [eventId = ""] = await deadLetter(pipeline, 2, "chosen");
    const { html } = await previewOf({ scope: "chosen", action: "discard", item: `${GROUP}/${eventId}` });
    expect(html).toContain("1 is discarded");
    expect(html).toContain(`chosen ones of ${GROUP}; 1 of ${GROUP}`);
    await operator.post(`${LIST}/act`, fieldsOf(html));
    await eventually(async () => (await pipeline.status(eventId))?.reason === "dropped_by_operator");
    const nothing = await previewOf({ scope: "chosen", action: "discard" });
    expect(nothing.status).toBe(422);
  });

  test("entries that are no event of ours are shown where dead letters are, and republished or dropped", async () => {
    const { redis, keys } = pipeline;
    await redis.xadd(keys.events, "*", "garbage", "yes");
    await doWhatIsQueued();
    await eventually(async () => (await operator.read(LIST)).includes("Entries that are no event of ours"));
    const [first = ""] = await redis.xrevrange(keys.dead(GROUP), "+", "-", "COUNT", 1).then(([last]) => last ?? []);
    const letter = `${GROUP}/${first}`;
    expect(await operator.read(LIST)).toContain(letter);
    expect(await reader.read(LIST)).not.toContain(letter);
    const preview = await (await operator.post(`${LIST}/letters`, { letter, do: "drop" })).text();
    expect(preview).toContain("It is deleted for good");
    expect(await operator.read(LIST)).toContain(letter);
    await operator.post(`${LIST}/letters`, { ...fieldsOf(preview), do: "drop" });
    expect(await operator.read(LIST)).not.toContain(letter);
    const [record] = await listActions(pipeline.db, { limit: 1 });
    expect(record).toMatchObject({ action: "dead drop", group: GROUP, surface: "console" });
    const again = await operator.post(`${LIST}/letters`, { letter, do: "drop" });
    expect([again.status, await again.text()]).toEqual([404, expect.stringContaining("no such letter any more")]);
  });

  test("a job whose process died is shown as interrupted, and another one does what is left", async () => {
    await deadLetter(pipeline, 3, "left_over");
    const jobId = Bun.randomUUIDv7();
    const before = new Date().toISOString();
    const selection = { kind: "all", groups: [GROUP], state: "dead", reason: "left_over", before } as const;
    await beginJob(pipeline.db, { jobId, actor: "lan", action: "retry", selection, total: 3 });
    await pipeline.db
      .updateTable("jobs")
      .set({ beat_at: new Date(0) })
      .where("job_id", "=", jobId)
      .execute();
    expect(await operator.read(`${LIST}/jobs/${jobId}`)).toContain("Its process ended before it did.");
    const again = await operator.post(`${LIST}/jobs/${jobId}`, { do: "again" });
    const [newest] = await listJobs(pipeline.db, 1);
    expect(again.headers.get("location")).toEndWith(newest?.jobId ?? "none");
    await eventually(async () => (await listJobs(pipeline.db, 1))[0]?.outcomes["queued"] === 3);
    await doWhatIsQueued();
  });

  test("a job is stopped from anywhere, and says by whom", async () => {
    await deadLetter(pipeline, 1_200, "to_be_stopped");
    const jobId = Bun.randomUUIDv7();
    const { promise: isStopping, resolve } = Promise.withResolvers<void>();
    // It waits before its second batch until the other process has asked it to stop.
    const own = anOperator(pipeline, { at: () => isStopping });
    const before = new Date().toISOString();
    const selection: JobOrder["selection"] = {
      kind: "all",
      groups: [GROUP],
      state: "dead",
      reason: "to_be_stopped",
      before,
    };
    const order: JobOrder = { jobId, actor: "lan", action: "retry", selection, total: 1_200 };
    const { ended } = await startJob(own, order);
    expect(await stopJob(pipeline.db, jobId, "an")).toBe(true);
    const beaten = (await findJob(pipeline.db, jobId))?.begunAt.getTime() ?? 0;
    await eventually(async () => {
      const row = await pipeline.db.selectFrom("jobs").select("beat_at").where("job_id", "=", jobId).executeTakeFirst();
      return (row?.beat_at.getTime() ?? 0) > beaten;
    });
    resolve();
    await ended;
    expect(await findJob(pipeline.db, jobId)).toMatchObject({ state: "stopped", stopAskedBy: "an", done: 1_000 });
  });

  test("a reader looks and changes nothing", async () => {
    const html = await reader.read(LIST);
    expect(html).not.toContain("checkbox");
    for (const path of [
      `${LIST}/preview`,
      `${LIST}/act`,
      `${LIST}/jobs/${Bun.randomUUIDv7()}`,
      "/console/act",
      "/console/act/suppressions",
      "/console/act/suppressions/lift",
      "/console/act/mails/welcome/en",
    ]) {
      expect((await reader.post(path, { scope: "all", action: "retry" })).status).toBe(403);
    }
  });
});

describe("what else operators do in the console", () => {
  test("a group is paused and resumed", async () => {
    await operator.post("/console/act", { group: GROUP, do: "pause" });
    expect(await reader.read("/console/act")).toContain(">paused<");
    await operator.post("/console/act", { group: GROUP, do: "resume" });
    expect(await reader.read("/console/act")).not.toContain(">paused<");
    expect((await operator.post("/console/act", { group: "none", do: "pause" })).status).toBe(404);
  });

  test("what a receiver of webhooks has: a test event, and to be enabled", async () => {
    await using server = await aReceiver();
    const [crm, audit] = [
      {
        name: "crm",
        events: ["user.#"],
        contentType: "application/json",
        url: server.url,
        secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
      },
      { name: "audit", events: ["user.#"], contentType: "application/json" },
    ] as const;
    const receivers = [crm, audit];
    const settings = { ...TEST_SETTINGS, CONSOLE_TOKEN: TOKENS.operator, CONSOLE_READ_TOKEN: TOKENS.reader, receivers };
    const { enter } = aConsole(pipeline, { settings, groups: groupsOf({ receivers }) });
    const [person, looking] = await Promise.all([enter("operator"), enter("reader")]);
    const path = "/console/act/webhooks";
    expect(await person.read("/console/act")).toContain("Send crm a test event");
    const sent = await person.post(path, { receiver: "crm", do: "test" });
    expect([sent.status, await sent.text()]).toEqual([200, expect.stringContaining("crm answered 204")]);
    expect(server.received[0]?.body).toContain("webhook.test.v1");
    expect((await listActions(pipeline.db, { limit: 1 }))[0]).toMatchObject({
      action: "webhook test",
      group: "webhook-crm",
      actor: "lan (as operator)",
      end: { outcome: "done" },
    });
    const unset = await person.post(path, { receiver: "audit", do: "test" });
    expect([unset.status, await unset.text()]).toEqual([502, expect.stringContaining("WEBHOOK_AUDIT_URL: not set")]);
    expect((await looking.post(path, { receiver: "crm", do: "test" })).status).toBe(403);
    await person.post("/console/act", { group: "webhook-crm", do: "pause" });
    expect(await person.read("/console/act")).toContain('aria-label="Enable crm"');
    await person.post(path, { receiver: "crm", do: "enable" });
    expect(await person.read("/console/act")).toContain('aria-label="Pause webhook-crm"');
    expect((await listActions(pipeline.db, { limit: 1 }))[0]).toMatchObject({ action: "webhook enable" });
    expect((await person.post(path, { receiver: "crn", do: "test" })).status).toBe(404);
  });

  test("events are replayed for a group from a time or an event, after a preview, as a job", async () => {
    const path = "/console/act/replay";
    const signups = [aSignup(), aSignup()];
    const [first = ""] = await pipeline.signUp(...signups);
    await doWhatIsQueued();
    await pipeline.db.deleteFrom("deliveries").where("event_id", "=", first).execute();
    expect(await operator.read(path)).toContain("Replay events for a group");
    expect((await reader.post(path, { group: GROUP, from: first })).status).toBe(403);
    expect((await operator.post(path, { group: GROUP, from: "yesterday" })).status).toBe(422);
    expect((await operator.post(path, { group: "none", from: first })).status).toBe(404);
    const preview = await (await operator.post(path, { group: GROUP, from: first })).text();
    expect(preview).toContain("Of 2 events in that part of the log");
    expect(preview).toContain("1 is new to the group, and queued");
    expect(preview).toContain("1 is done, dead, held or cancelled, and left alone");
    expect(await (await operator.post(path, { group: GROUP, from: "2h" })).text()).toContain("1 is new to the group");
    const begun = await operator.post(path, fieldsOf(preview));
    const job = begun.headers.get("location") ?? "";
    await eventually(async () => (await reader.read(job)).includes("<strong>done</strong>"));
    expect(await reader.read(job)).toContain(`Replay for ${GROUP}`);
    expect((await listActions(pipeline.db, { action: "replay", limit: 1 }))[0]?.end).toMatchObject({ affected: 1 });
    await doWhatIsQueued();
    expect((await pipeline.status(first))?.state).toBe("done");
  });

  test("a preview that takes long is a job, and its page leads to the action", async () => {
    const [eventId = ""] = await deadLetter(pipeline, 1, "looked_at");
    const selection = { kind: "chosen" as const, chosen: { [GROUP]: [eventId] } };
    const order = { jobId: Bun.randomUUIDv7(), actor: "lan", action: "discard", selection, total: 0 } as const;
    const { ended } = await startJob(anOperator(pipeline), { ...order, isPreview: true });
    await ended;
    const path = `${LIST}/jobs/${order.jobId}`;
    const page = await operator.read(path);
    expect(page).toContain("Preview of Discard");
    expect(page).toContain("1 is discarded");
    expect((await pipeline.status(eventId))?.state).toBe("dead");
    expect(await reader.read(path)).not.toContain("Discard 1");
    await operator.post(`${LIST}/act`, fieldsOf(page));
    await eventually(async () => (await pipeline.status(eventId))?.reason === "dropped_by_operator");
  });

  test("the send rate names its settings, and the groups that take it", async () => {
    const settings = { ...TEST_SETTINGS, CONSOLE_READ_TOKEN: TOKENS.reader, MAIL_RATE_PER_SECOND: 12 };
    const person = await aConsole(pipeline, { settings }).enter("reader");
    const page = await person.read("/console/act/rate");
    expect(page).toContain("<code>MAIL_RATE_PER_SECOND</code> (12 a second here)");
    expect(page).toContain(GROUP);
  });

  test("suppressions are lifted one by one, and all of a reason after their number was shown", async () => {
    const path = "/console/act/suppressions";
    const keys = ["one", "two", "three"].map((name) => `${name}@inbox.example`);
    const event_id = Bun.randomUUIDv7();
    const values = keys.map((email_key) => ({ email_key, reason: "no_such_address", event_id }));
    await pipeline.db.insertInto("suppressions").values(values).execute();
    expect(await reader.read(path)).not.toContain("one@inbox.example");
    await operator.post(`${path}/lift`, { address: "one@inbox.example" });
    expect((await operator.post(`${path}/lift`, { address: "one@inbox.example" })).status).toBe(404);
    const preview = await (await operator.post(path, { reason: "no_such_address" })).text();
    expect(preview).toContain("Lift 2 suppressions?");
    const after = (await operator.post(path, fieldsOf(preview))).headers.get("location") ?? "";
    const page = await operator.read(after);
    expect(page).toContain("No address is suppressed.");
    expect(page).toContain('href="/console/deliveries?state=dead&amp;reason=no_such_address"');
  });

  test("each mail is shown in each language; one is sent only where there is a mail server", async () => {
    expect(await reader.read("/console/act/mails/welcome/vi")).toContain("Chào Minh");
    const html = await reader.get("/console/act/mails/notice/en/html");
    expect(html.headers.get("content-security-policy")).toContain("sandbox");
    expect(await html.text()).toContain("<bdi>Minh</bdi>");
    expect((await reader.get("/console/act/mails/none/en")).status).toBe(404);
    const sent = await operator.post("/console/act/mails/welcome/en", { to: "me@inbox.example" });
    expect([sent.status, await sent.text()]).toEqual([502, expect.stringContaining("no mail server")]);
  });
});
