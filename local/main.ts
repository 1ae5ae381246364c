import { join } from "node:path";
import { EXIT } from "../runtime/process.ts";
import { watchAncestors } from "./ancestors.ts";
import { AlreadyRunning, lockFolder } from "./lock.ts";
import { BadOption, parseOptions, type StartOptions, USAGE } from "./options.ts";
import { type Addresses, createLocalSystem } from "./system.ts";

const WRONG_USAGE = 2;

const welcome = ({ api, inbox, databaseUrl, redisUrl, consumers }: Addresses): string => {
  const rows = [
    ["signup page", api],
    ["API", `${api}/api/v1/user/   (described at ${api}/openapi.json)`],
    ...(inbox === undefined ? [] : [["inbox", inbox]]),
    ["PostgreSQL", databaseUrl.replace(/:[^:@/]*@/, ":***@")],
    ["Redis", redisUrl.replace(/:[^:@/]*@/, ":***@")],
    ...consumers.map(({ name, health, pid }) => [name, `process ${pid()}, ${health}/readyz`]),
  ];
  const body = JSON.stringify({ user_name: "Ánh", email: "anh@inbox.example", password: "correct horse battery" });
  return [
    "",
    ...rows.map(([what = "", where]) => `  ${what.padEnd(12)} ${where}`),
    "",
    "  Try it:",
    `  curl ${api}/api/v1/user/ -H 'Content-Type: application/json' \\`,
    `    -d '${body}'`,
    "",
    "  Kill a consumer (kill -9 PROCESS): its mail still comes. Ctrl-C stops everything.",
    "",
  ].join("\n");
};

const run = async (options: StartOptions): Promise<number> => {
  const stop = new AbortController();
  let code: number = EXIT.stopped;
  const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
  const end = (why: string) => {
    stop.abort();
    ask(why);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(signal));
  const unwatch = watchAncestors(() => end("the process that started this one ended"));
  const root = join(import.meta.dir, "..");
  const unlock = lockFolder(join(root, ".local", "running.pid"));
  const system = createLocalSystem(
    {
      root,
      environment: process.env,
      print: console.log,
      isColourful: process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined,
      signal: stop.signal,
      onDeath: (part, how) => {
        console.error(`${part} ended by itself: ${how}. Stopping the rest.`);
        code = EXIT.failed;
        end(`${part} ended`);
      },
    },
    options,
  );
  try {
    const startedAt = performance.now();
    const addresses = await system.start();
    console.log(`up in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    console.log(welcome(addresses));
    const why = await asked;
    console.log(`stopping (${why})`);
  } catch (error) {
    if (!stop.signal.aborted) {
      code = EXIT.failed;
      console.error(error instanceof Error ? error.message : error);
    }
  }
  await system.stop();
  unwatch();
  unlock();
  console.log("stopped");
  return code;
};

const main = async (): Promise<number> => {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) {
      console.log(USAGE);
      return EXIT.stopped;
    }
    return await run(options);
  } catch (error) {
    if (error instanceof BadOption) {
      console.error(`${error.message}\n\n${USAGE}`);
      return WRONG_USAGE;
    }
    if (!(error instanceof AlreadyRunning)) throw error;
    console.error(error.message);
    return EXIT.failed;
  }
};

process.exit(await main());
