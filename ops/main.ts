import { writeSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../database/connection.ts";
import { createLogger } from "../observability/logger.ts";
import { EXIT } from "../runtime/process.ts";
import { loadSettings } from "../settings/load.ts";
import { openCommandConnection } from "../stream/connection.ts";
import { keysOf } from "../stream/keys.ts";
import { commandMeant, type Request, readCommandLine } from "./arguments.ts";
import { type Answer, UsageError } from "./command.ts";
import { helpText, usageLine } from "./help.ts";
import { jsonDocument } from "./json.ts";
import { readLocalAddresses, withLocalAddresses } from "./local-addresses.ts";
import { storesGoneAway, untilStoresAnswer } from "./stores.ts";
import { createProgressDisplay } from "./terminal/progress.ts";
import { printable, styleFor } from "./terminal/style.ts";

const EXIT_USAGE = 2;
const COMMAND_TIMEOUT_MS = 10_000;
/** One for the command, one for what it does beside, one for asking whether Postgres is still there. */
const DATABASE_POOL = 3;
const LOCAL_DIRECTORY = join(import.meta.dir, "..", ".local");

const words = process.argv.slice(2);
const wantsJson = words.includes("--json");
const style = styleFor(process.stdout, process.env);
/** Written at once, and as it is: `console.error` would paint it red, NO_COLOR or not. */
const say = (message: string): void => {
  writeSync(process.stderr.fd, `${message}\n`);
};

/** Written whole before the process may exit, also into a pipe. */
const print = async (text: string): Promise<void> => {
  await Bun.write(Bun.stdout, `${text}\n`);
};

const untilInterrupted = (): AbortSignal => {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());
  return controller.signal;
};

const run = async ({ command, args }: Extract<Request, { kind: "run" }>): Promise<Answer> => {
  const settings = loadSettings("ops", withLocalAddresses(process.env, readLocalAddresses(LOCAL_DIRECTORY)));
  const log = createLogger({ level: "silent", service: "ops" });
  const db = openDatabase({ url: settings.DATABASE_URL, poolSize: DATABASE_POOL, applicationName: "ops" });
  const redis = openCommandConnection({
    url: settings.REDIS_URL,
    name: "ops",
    log,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  });
  const progress = createProgressDisplay(process.stderr, () => performance.now());
  const finished = new AbortController();
  const signal = untilInterrupted();
  try {
    await untilStoresAnswer({ db, redis }, command.needs);
    const answer = command.run({
      db,
      redis,
      keys: keysOf(settings.STREAM_NAME),
      signal,
      onProgress: progress.show,
      at: () => {},
      settings,
      args,
      say,
      now: () => new Date(),
    });
    return await Promise.race([answer, storesGoneAway({ db, redis }, command.needs, finished.signal)]);
  } finally {
    finished.abort();
    progress.end();
    redis.disconnect();
  }
};

const hintFor = (error: Error): string =>
  "code" in error && error.code === "42P01" ? " (the database is not up to date: bun run migrate)" : "";

const explain = async (error: unknown): Promise<number> => {
  const isError = error instanceof Error;
  const message = isError ? `${error.message}${hintFor(error)}` : String(error);
  const name = isError ? error.name : "Error";
  if (wantsJson) await print(jsonDocument({ error: { name, message } }));
  say(message.split("\n").map(printable).join("\n"));
  if (error instanceof UsageError) {
    const meant = commandMeant(words);
    const [only] = meant;
    if (only !== undefined && meant.length === 1) {
      say(`${usageLine(only)}\nbun run ops ${only.name} --help tells more`);
    } else {
      say(helpText(styleFor(process.stderr, process.env), meant));
    }
    return EXIT_USAGE;
  }
  return name === "BadSettings" ? EXIT.badSettings : EXIT.failed;
};

const main = async (): Promise<number> => {
  const request = readCommandLine(words);
  if (request.kind === "help") {
    const { commands } = request;
    const names = commands.map(({ name, summary, usage }) => ({ name, summary, usage }));
    await print(wantsJson ? jsonDocument({ commands: names }) : helpText(style, commands));
    return EXIT.stopped;
  }
  const answer = await run(request);
  await print(wantsJson ? jsonDocument(answer.json) : answer.text(style));
  return answer.failed === true ? EXIT.failed : EXIT.stopped;
};

process.exit(await main().catch(explain));
