import { afterAll, beforeAll, expect, test } from "bun:test";
import { beginAction, endAction } from "../../database/audit.ts";
import { aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { SERVICE_TOKEN } from "../app-for-tests.ts";
import { aConsole, type Person } from "./console-for-tests.ts";

const signup = aSignup();
const traceId = signup.event.traceparent.split("-")[1] ?? "";

let pipeline: Pipeline;
let person: Person;
beforeAll(async () => {
  pipeline = await aPipeline();
  person = await aConsole(pipeline).enter("reader");
  await pipeline.signUp(signup);
});
afterAll(() => pipeline[Symbol.asyncDispose]());

test("ten that look at once cost the stores one look", async () => {
  let looks = 0;
  const { enter } = aConsole(pipeline, {
    console: {
      keys: pipeline.keys,
      stores: () => {
        looks += 1;
        return { db: pipeline.ops.db, redis: pipeline.ops.redis };
      },
    },
  });
  const someone = await enter("reader");
  const pages = await Promise.all(Array.from({ length: 10 }, () => someone.read("/console")));
  // One for the state, one for who was signed out.
  expect(looks).toBe(2);
  for (const page of pages) expect(page).toMatch(/No consumer of welcome-email [^;]+; 1 mail waits, it is not lost\./);
});

test("/readyz tells only who has the service token what the console says", async () => {
  const { app } = aConsole(pipeline);
  const answerOf = async (headers: Readonly<Record<string, string>>) =>
    (await app.request("/readyz", { headers })).json();
  expect(await answerOf({})).toEqual({ ready: true, why: "All is well", checks: { database: "ok" } });
  const sentence = expect.stringMatching(/^No consumer of welcome-email [^;]+; 1 mail waits, it is not lost$/);
  expect(await answerOf({ Authorization: `Bearer ${SERVICE_TOKEN}` })).toMatchObject({
    ready: true,
    findings: [{ group: "welcome-email", sentence }],
  });
  const wrong = await app.request("/readyz", { headers: { Authorization: "Bearer wrong" } });
  expect(wrong.status).toBe(401);
});

test("a filter works without scripts, and a group has a page of its own", async () => {
  expect(await person.read("/console?filter=nosuch")).not.toContain('data-name="welcome-email"');
  expect(await person.read("/console?filter=WELCOME")).toContain('data-name="welcome-email"');
  expect(await person.read("/console/groups/welcome-email")).toContain("no consumer");
  const none = await person.get("/console/groups/nosuch");
  expect([none.status, await none.text()]).toEqual([404, expect.stringContaining("no group is named nosuch")]);
});

test.each([
  ["an event id", signup.event.eventId, signup.event.eventId],
  ["a trace id", traceId, traceId],
  ["a user id", signup.userId, signup.userId],
  ["an address, in any case", signup.email.toUpperCase(), signup.userId],
  ["a user name", signup.userName, signup.userId],
])("%s leads to the journey, by an id that is nobody's name", async (_, wanted, id) => {
  const answer = await person.post("/console/find", { wanted });
  expect([answer.status, answer.headers.get("location")]).toEqual([303, `/console/find/${id}`]);
  const page = await person.read(`/console/find/${id}`);
  expect(page).toContain(signup.event.eventId);
  expect(page).toContain("u***@inbox.example");
  expect(page).not.toContain(signup.userName);
  expect(page).toContain("<svg");
});

test.each(["nobody@inbox.example", " ", "0".repeat(32), "%_*"])("nothing is found by %p", async (wanted) => {
  const answer = await person.post("/console/find", { wanted });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("Nothing found")]);
});

test("an address in a URL finds nobody", async () => {
  expect((await person.get(`/console/find/${signup.email}`)).status).toBe(404);
});

test("the audit log has what operators did, by filters, page by page", async () => {
  const { db } = pipeline.ops;
  for (let time = 0; time < 52; time += 1) {
    const actionId = Bun.randomUUIDv7();
    const action = time % 2 === 0 ? "pause" : "resume";
    const who = { actor: "tester", surface: "ops", host: "test", group: "welcome-email" };
    await beginAction(db, { actionId, action, arguments: {}, ...who });
    await endAction(db, { actionId, outcome: "done", affected: 1, eventIds: [], error: null });
  }
  const first = await person.read("/console/audit");
  expect(first.match(/<strong>(pause|resume)/g)).toHaveLength(50);
  expect(first).toContain("tester");
  const older = /href="(\/console\/audit\?[^"]+)" rel="next"/.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const second = await person.read(older);
  expect(second.match(/<strong>(pause|resume)/g)).toHaveLength(2);
  expect(second).not.toContain('rel="next"');
  expect((await person.read("/console/audit?action=pause&age=1h")).match(/<strong>pause/g)).toHaveLength(26);
  for (const filter of ["by=nobody", "group=nosuch", "action=erase"]) {
    expect(await person.read(`/console/audit?${filter}`)).toContain("No action is recorded.");
  }
});
