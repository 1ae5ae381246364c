import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import pino from "pino";
import type { NewSignup } from "../database/users/signup-rows.ts";
import { randomHex } from "../observability/trace-context.ts";
import { meanRatio, median } from "./statistics.ts";
import { wholeNumber } from "./whole-number.ts";

const HELP = `bun bench/handler.ts --trees DIR,DIR [options]: what the API itself does for a signup, in checkouts that take turns

  --trees DIR,DIR  checkouts, each with its dependencies installed; the first is what the others are compared with
  --rounds N       of each; they take turns of some 50 ms (default: 80)
  --at-once N      signups that are asked for together, and share a statement (default: 64)

All in one process: no sockets, a Postgres and a Redis that answer at once, hashes at their cheapest. So a difference of a microsecond shows, on
a busy machine as well, and nothing of what drivers and kernel take. \`bun bench/turns.ts\` has whole processes.`;

/** Signups of a turn. */
const TURN = 512;
/** Rounds until the compiler has done most of its work. */
const WARM_UP = 20;

const { values } = parseArgs({
  options: {
    trees: { type: "string", default: resolve(import.meta.dir, "..") },
    rounds: { type: "string", default: "80" },
    "at-once": { type: "string", default: "64" },
    help: { type: "boolean", default: false },
  },
});
const [rounds, atOnce] = [wholeNumber("rounds", values.rounds), wholeNumber("at-once", values["at-once"])];

const requests = (): readonly Request[] =>
  Array.from({ length: TURN }, () => {
    const name = `b${randomHex(8)}`;
    const body = JSON.stringify({
      user_name: name,
      email: `${name}@inbox.example`,
      password: "correct horse battery staple",
    });
    const headers = { "Content-Type": "application/json", "Content-Length": String(body.length) };
    return new Request("http://127.0.0.1/api/v1/user/", { method: "POST", headers, body });
  });

/** The app of a checkout, as `api/run.ts` puts it together. */
const appOf = async (tree: string) => {
  const { anApp, TEST_SETTINGS }: typeof import("../api/app-for-tests.ts") = await import(
    join(tree, "api/app-for-tests.ts")
  );
  const { openDatabase }: typeof import("../database/connection.ts") = await import(
    join(tree, "database/connection.ts")
  );
  const { createSharedWriter }: typeof import("../database/shared-write.ts") = await import(
    join(tree, "database/shared-write.ts")
  );
  const { toSignupRow }: typeof import("../database/users/signup-rows.ts") = await import(
    join(tree, "database/users/signup-rows.ts")
  );
  const { createAdmission }: typeof import("../api/admission/admission.ts") = await import(
    join(tree, "api/admission/admission.ts")
  );
  const { limitsOf }: typeof import("../api/admission/limits.ts") = await import(join(tree, "api/admission/limits.ts"));
  const { createPasswordHasher }: typeof import("../api/passwords/hasher.ts") = await import(
    join(tree, "api/passwords/hasher.ts")
  );
  const { cheapInPlace }: typeof import("../api/passwords/in-place.ts") = await import(
    join(tree, "api/passwords/in-place.ts")
  );
  const { watchWrites }: typeof import("../api/signup/watch-writes.ts") = await import(
    join(tree, "api/signup/watch-writes.ts")
  );
  const { encodeEvent, loggedEvent }: typeof import("../stream/events/envelope.ts") = await import(
    join(tree, "stream/events/envelope.ts")
  );
  const { keysOf }: typeof import("../stream/keys.ts") = await import(join(tree, "stream/keys.ts"));

  const writer = createSharedWriter<NewSignup, { readonly kind: "created"; readonly createdAt: Date }>({
    keysOf: ({ emailKey, userNameKey }) => [emailKey, userNameKey],
    write: async (signups, _, settle) => {
      JSON.stringify(signups.map(toSignupRow));
      await new Promise(setImmediate);
      const createdAt = new Date();
      for (const signup of signups) settle(signup, { kind: "created", createdAt });
    },
  });
  const { signups } = watchWrites(
    { write: (signup) => writer.write(signup), idle: () => writer.idle() },
    () => new Date(),
  );
  const cost = { memoryKib: TEST_SETTINGS.PASSWORD_HASH_MEMORY_KIB, passes: TEST_SETTINGS.PASSWORD_HASH_PASSES };
  const limits = limitsOf({});
  return anApp(openDatabase({ url: "postgres://127.0.0.1:1/none", poolSize: 1, applicationName: "bench" }), {
    signups,
    hasher: cheapInPlace(createPasswordHasher({ concurrency: 1, ...cost }), cost),
    admit: createAdmission({
      limits,
      take: async (asked) => asked.map(() => ({ kind: "admitted" })),
      keys: keysOf("bench"),
      readDigestKey: async () => new Uint8Array(32),
      now: () => performance.now(),
      log: pino({ level: "silent" }),
    }),
    afterCommit: async (event) => void encodeEvent(loggedEvent(event)),
    // A proxy's, as by default only clients elsewhere are counted.
    clientOf: () => "127.0.0.1",
  }).app;
};

/** µs for each signup, all threads. */
const measure = async (app: Awaited<ReturnType<typeof appOf>>): Promise<number> => {
  const all = requests();
  const before = process.cpuUsage();
  for (let from = 0; from < TURN; from += atOnce) {
    const answers = await Promise.all(all.slice(from, from + atOnce).map((request) => app.fetch(request)));
    if (answers.some(({ status }) => status !== 201)) throw new Error("a signup was refused");
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TURN;
};

const run = async (): Promise<void> => {
  const trees = values.trees.split(",").map((tree) => resolve(tree));
  const all: { readonly tree: string; readonly app: Awaited<ReturnType<typeof appOf>>; readonly cpu: number[] }[] = [];
  for (const tree of trees) all.push({ tree, app: await appOf(tree), cpu: [] });
  for (let round = 0; round < WARM_UP + rounds; round += 1) {
    // Each is first as often as last: what one leaves behind falls on each alike.
    for (const { app, cpu } of round % 2 === 0 ? all : all.toReversed()) {
      const used = await measure(app);
      if (round >= WARM_UP) cpu.push(used);
    }
  }
  const [first] = all;
  for (const { tree, cpu } of all) {
    const { mean, error } = meanRatio(cpu.map((used, round) => used / (first?.cpu[round] ?? Number.NaN)));
    console.log(`${tree}: ${median(cpu).toFixed(1)} µs, ${mean.toFixed(3)} ± ${error.toFixed(3)} times`);
  }
};

if (values.help) console.log(HELP);
else await run().then(() => process.exit(0));
