import { expect, test } from "bun:test";
import { factory } from "../../consumers/welcome-email/group.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../eventually.ts";
import { refusal, startMailServer } from "../mail-server.ts";
import { mailSettings } from "../mail-settings.ts";
import { aPipeline, aSignup, silentLog } from "../pipeline.ts";

const SECRETS = { MAIL_USERNAME: "signup", MAIL_PASSWORD: "secret" };

test("a login that is refused is tried by one consumer of several, ever more rarely; all go on when it is accepted", async () => {
  let isRefused = true;
  let logins = 0;
  await using mailServer = await startMailServer({
    authOptional: false,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => {
      logins += 1;
      done(isRefused ? refusal(535, "5.7.8 bad credentials") : null, { user: "signup" });
    },
  });
  await using pipeline = await aPipeline();
  const settings = mailSettings(pipeline, mailServer, SECRETS);
  const start = () => pipeline.open((db) => factory.open(WELCOME_EMAIL, { settings, db, log: silentLog }));
  const consumers = await Promise.all([start(), start(), start()]);
  const signUp = () => pipeline.signUp(...Array.from({ length: 30 }, () => aSignup()));
  const eventIds = await signUp();
  const key = pipeline.keys.probes(WELCOME_EMAIL.name);
  const asked = () => pipeline.redis.get(key).then(Number);
  await eventually(() => consumers.every((consumer) => consumer.breaker() === "open"), 20_000);
  const atFirst = logins;
  await eventually(async () => (await asked()) >= 3, 40_000);
  expect(logins).toBeGreaterThanOrEqual(atFirst + 2);
  // One for each permit, that of the last one perhaps under way.
  expect(logins).toBeLessThanOrEqual(atFirst + 3);
  // What /readyz and ops say.
  await eventually(() => consumers.some((consumer) => (consumer.report().breaker.probeInMs ?? 0) > 4_000));
  isRefused = false;
  // Nobody waits for the next probe: the secret is changed by a restart.
  const restarted = await start();
  await eventually(async () => {
    const states = await Promise.all([...eventIds, ...(await signUp())].map((eventId) => pipeline.status(eventId)));
    return states.some((status) => status?.state === "done");
  });
  expect(restarted.breaker()).not.toBe("open");
  // Each needs a mail to probe with.
  await eventually(async () => {
    await signUp();
    return consumers.every((consumer) => consumer.breaker() !== "open");
  }, 40_000);
}, 90_000);
