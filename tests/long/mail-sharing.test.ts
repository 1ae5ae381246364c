import { expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { refusal, startMailServer } from "../mail-server.ts";
import { aSystem } from "../processes.ts";

/** Connections that the server grants, and how long it takes for a mail. */
const LIMIT = 2;
const MAIL_MS = 100;
/** More than the server takes in the whole test. */
const BACKLOG = 1_000;

const signUp = async (api: string, name: string): Promise<void> => {
  const { ok } = await fetch(`${api}/api/v1/user/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user_name: name, email: `${name}@inbox.example`, password: "correct horse battery staple" }),
  });
  if (!ok) throw new Error(`${name} was not signed up`);
};

/** The kind of a mail, by its Message-ID. */
const kindOf = (raw: string): string | undefined => /^Message-ID: <[^.>]+\.(\w+)@/m.exec(raw)?.[1];

test("two groups, each with consumers of its own, share a server that grants two connections, though one of them has a backlog", async () => {
  const granted = new Set<string>();
  await using mailServer = await startMailServer({
    onConnect: ({ id }, done) => {
      if (granted.size >= LIMIT) return done(refusal(421, "4.7.0 too many connections"));
      granted.add(id);
      done();
    },
    onClose: ({ id }) => void granted.delete(id),
    beforeReply: () => Bun.sleep(MAIL_MS),
  });
  await using system = await aSystem({
    mailServer,
    settings: { REMINDER_DELAY_MS: "1000", CONSUMER_CONCURRENCY: "20" },
  });
  const api = await system.api();
  for (let first = 0; first < BACKLOG; first += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => signUp(api.url, `person-${first + index}`)));
  }
  const count = (kind: string) => mailServer.taken.filter(({ raw }) => kindOf(raw) === kind).length;

  await system.consumer({}, "reminder-email");
  await eventually(() => count("reminder") >= 40, 30_000);
  await system.consumer({}, "welcome-email");
  await eventually(() => count("welcome") >= 1, 30_000);
  const before = { welcome: count("welcome"), reminder: count("reminder") };
  await eventually(() => count("welcome") >= 60, 30_000);
  const [welcome, reminder] = [count("welcome") - before.welcome, count("reminder") - before.reminder];
  expect(reminder).toBeGreaterThan(10);
  expect(welcome / (welcome + reminder)).toBeGreaterThan(0.3);
}, 120_000);
