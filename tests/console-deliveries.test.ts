import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { aConsole, type Person } from "../api/console/console-for-tests.ts";
import { beginJob, findJob, listJobs, stopJob } from "../database/jobs.ts";
import { readBacklog } from "../database/ledger/counts.ts";
import { type JobOrder, startJob } from "../ops/actions/deliveries/job.ts";
import { anOperator, deadLetter, GROUP } from "../ops/operator-for-tests.ts";
import { eventually } from "./eventually.ts";
import { anOutbox, aPipeline, type Pipeline } from "./pipeline.ts";

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
    const eventIds = await deadLetter(pipeline, 60, "content_refused");
    const html = await operator.read(LIST);
    expect(html).toContain(`60 of ${GROUP}`);
    expect(eventIds.filter((eventId) => html.includes(`/console/find/${eventId}`)).length).toBe(50);
    const older = /rel="next" href="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const next = await operator.read(older);
    expect(eventIds.filter((eventId) => next.includes(`/console/find/${eventId}`)).length).toBe(10);
    expect(await operator.read(`${LIST}?state=dead&reason=other`)).toContain("There is none.");
  });

  test("all of a filter are retried once the number is typed, and the job says what became of them", async () => {
    await deadLetter(pipeline, 60, "mailbox_full");
    const { html } = await previewOf({ state: "dead", scope: "all", action: "retry" });
    expect(html).toContain("120 are queued, and their work is done");
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
    expect(html).toContain("1 are discarded");
    await operator.post(`${LIST}/act`, fieldsOf(html));
    await eventually(async () => (await pipeline.status(eventId))?.reason === "dropped_by_operator");
    const nothing = await previewOf({ scope: "chosen", action: "discard" });
    expect(nothing.status).toBe(422);
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
    expect(await reader.read("/console/act")).toContain("paused");
    await operator.post("/console/act", { group: GROUP, do: "resume" });
    expect(await reader.read("/console/act")).not.toContain("paused");
    expect((await operator.post("/console/act", { group: "none", do: "pause" })).status).toBe(404);
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
    await operator.post(path, fieldsOf(preview));
    expect(await operator.read(path)).toContain("There is none.");
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
