import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "./eventually.ts";
import { type MailServerOptions, parseMail, startMailServer } from "./mail-server.ts";
import { aSystem, eventAt, type RunningProcess, type System, signUpAt } from "./processes.ts";

const acceptRecipient: NonNullable<MailServerOptions["onRcptTo"]> = (_address, _session, done) => done();

/** The system of all tests but one, and how its mail server behaves in this one. */
const shared = new AsyncDisposableStack();
let behaviour: Pick<MailServerOptions, "beforeReply" | "onRcptTo"> = {};
let system: System;
let api: RunningProcess;

beforeAll(async () => {
  const mailServer = await startMailServer({
    beforeReply: (...args) => behaviour.beforeReply?.(...args),
    onRcptTo: (...args) => (behaviour.onRcptTo ?? acceptRecipient)(...args),
  });
  system = shared.use(await aSystem({ mailServer }));
  api = await system.api();
});
afterEach(async () => {
  await system.endConsumers();
  behaviour = {};
});
afterAll(() => shared.disposeAsync());

describe("a signup becomes a welcome mail", () => {
  test("from the HTTP request to the inbox, with the name as typed, and a complete timeline", async () => {
    await using system = await aSystem();
    const api = await system.api();
    const consumer = await system.consumer();
    const { status, eventId } = await signUpAt(api, { user_name: `<b>Bố</b> "x"`, email: "bo@inbox.example" });
    expect(status).toBe(201);
    await eventually(() => system.mailServer.taken.length === 1);
    const [mail] = system.mailServer.taken;
    expect(mail).toMatchObject({ from: "welcome@toblug.example", to: ["bo@inbox.example"] });
    const parsed = await parseMail(mail?.raw ?? "");
    expect(parsed.subject).toBe("Chào mừng bạn đến với Toblug!");
    expect(parsed.text).toContain(`Chào <b>Bố</b> "x",`);
    expect(parsed.html).not.toContain("<b>Bố");
    const event = await eventually(async () => {
      const now = await eventAt(api, eventId);
      return now.state === "sent" && now;
    });
    expect(event.timeline.map(({ state }) => state)).toEqual(["queued", "sending", "sent"]);
    consumer.kill("SIGTERM");
    api.kill("SIGTERM");
    expect(await consumer.exited).toBe("exit code 0");
    expect(await api.exited).toBe("exit code 0");
    expect([...api.lines, ...consumer.lines].join("\n")).not.toMatch(/bo@inbox|Bố/);
  });

  test("400 signups at once, two consumers: 400 mails, no duplicate", async () => {
    await system.consumer();
    await system.consumer();
    const before = system.mailServer.taken.length;
    const signups = await Promise.all(Array.from({ length: 400 }, () => signUpAt(api)));
    expect(signups.every(({ status }) => status === 201)).toBe(true);
    await eventually(() => system.mailServer.taken.length >= before + 400);
    const copies = signups.map(({ eventId }) => system.mailServer.copiesOf(eventId));
    expect(new Set(copies)).toEqual(new Set([1]));
    expect(system.mailServer.taken).toHaveLength(before + 400);
  });
});

describe("a consumer that is killed", () => {
  test("before the 250: a peer sends the mail; a duplicate, if any, is counted", async () => {
    const email = "killed-before-the-250@inbox.example";
    let replies = 0;
    const first = Promise.withResolvers<void>();
    behaviour = {
      beforeReply: async (raw) => {
        // Not a mail that a test before left behind.
        if (!raw.includes(email)) return;
        replies += 1;
        if (replies > 1) return;
        first.resolve();
        // The server never answers the one that is killed: it has not taken the mail.
        await new Promise(() => {});
      },
    };
    const victim = await system.consumer();
    const { eventId } = await signUpAt(api, { email });
    await first.promise;
    await system.consumer();
    victim.kill("SIGKILL");
    await eventually(async () => (await eventAt(api, eventId)).state === "sent");
    expect(system.mailServer.copiesOf(eventId)).toBe(1);
    expect(await eventAt(api, eventId)).toMatchObject({ uncertain: 1 });
  });

  test("after the 250, before it is recorded: one duplicate with the same Message-ID, counted as uncertain", async () => {
    const victim = await system.consumer();
    const { eventId } = await signUpAt(api);
    // Killed in the moment in which the mail server has it: sometimes the ledger knows already, sometimes not.
    await eventually(() => system.mailServer.copiesOf(eventId) === 1);
    victim.kill("SIGKILL");
    await victim.exited;
    await system.consumer();
    await eventually(async () => (await eventAt(api, eventId)).state === "sent");
    const { uncertain } = await eventAt(api, eventId);
    expect(system.mailServer.copiesOf(eventId)).toBe(1 + uncertain);
  });

  test("with a batch in flight: peers send all of it", async () => {
    const hold = Promise.withResolvers<void>();
    behaviour = { beforeReply: () => hold.promise };
    const victim = await system.consumer();
    const signups = await Promise.all(Array.from({ length: 10 }, () => signUpAt(api)));
    await eventually(async () => {
      const events = await Promise.all(signups.map(({ eventId }) => eventAt(api, eventId)));
      return events.every(({ state }) => state === "sending");
    });
    victim.kill("SIGKILL");
    hold.resolve();
    await system.consumer();
    for (const { eventId } of signups) {
      await eventually(async () => (await eventAt(api, eventId)).state === "sent");
      const { uncertain } = await eventAt(api, eventId);
      expect(system.mailServer.copiesOf(eventId)).toBeLessThanOrEqual(1 + uncertain);
    }
  });
});

describe("a consumer that is asked to stop", () => {
  test("with work in flight that the server does not answer: a peer has it within a second", async () => {
    let isStuck = true;
    behaviour = {
      // The first one's mails never get past the recipient.
      onRcptTo: (_address, _session, done) => {
        if (!isStuck) done();
      },
    };
    const first = await system.consumer();
    const signups = await Promise.all(Array.from({ length: 5 }, () => signUpAt(api)));
    await eventually(async () => {
      const events = await Promise.all(signups.map(({ eventId }) => eventAt(api, eventId)));
      return events.every(({ state }) => state === "sending");
    });
    // A peer that would not claim within this test: only a release brings it the mails.
    await system.consumer({ CLAIM_MIN_IDLE_MS: "600000" });
    isStuck = false;
    first.kill("SIGTERM");
    expect(await first.exited).toBe("exit code 0");
    for (const { eventId } of signups) {
      await eventually(async () => (await eventAt(api, eventId)).state === "sent");
      expect(system.mailServer.copiesOf(eventId)).toBe(1);
      expect(await eventAt(api, eventId)).toMatchObject({ uncertain: 0, attempts: 1 });
    }
  });
});

describe("a zombie", () => {
  test("stopped (SIGSTOP) for longer than the threshold, then continued: it does not send again what a peer has sent", async () => {
    let isStuck = true;
    const reached = Promise.withResolvers<void>();
    const waiting: (() => void)[] = [];
    behaviour = {
      onRcptTo: (_address, _session, done) => {
        if (!isStuck) return done();
        waiting.push(() => done());
        reached.resolve();
      },
    };
    const zombie = await system.consumer();
    const { eventId } = await signUpAt(api);
    await reached.promise;
    zombie.kill("SIGSTOP");
    isStuck = false;
    await system.consumer();
    await eventually(async () => (await eventAt(api, eventId)).state === "sent");
    // Its recipient is accepted while it sleeps: awake, it could go on at once.
    for (const go of waiting) go();
    zombie.kill("SIGCONT");
    const { eventId: next } = await signUpAt(api);
    await eventually(async () => (await eventAt(api, next)).state === "sent");
    await eventually(() => zombie.lines.some((line) => line.includes("the delivery is not ours any more")));
    expect(system.mailServer.copiesOf(eventId)).toBe(1);
    expect(system.mailServer.copiesOf(next)).toBe(1);
    zombie.kill("SIGTERM");
    expect(await zombie.exited).toBe("exit code 0");
  });
});
