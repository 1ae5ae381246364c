import { join } from "node:path";

interface Step {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Its output is shown as it comes; that of the others, once they have ended. */
  readonly isShownAtOnce?: boolean;
}

/** Everything that must pass before a change lands. They run side by side; the first failure ends them all. */
const STEPS: readonly Step[] = [
  {
    name: "types",
    what: "types",
    command: [
      "node_modules/.bin/tsc",
      "--noEmit",
      // What it found last time is kept: it looks at what changed alone.
      ...["--incremental", "--tsBuildInfoFile", ".local/types.tsbuildinfo"],
      // Each checker would work out the libraries' types for itself, and the tests use the other processors.
      ...["--checkers", "1"],
    ],
    // To collect garbage is a quarter of its work; this much memory it takes in any case.
    environment: { GOGC: "400", GOMEMLIMIT: "2GiB" },
  },
  {
    name: "lint",
    what: "format, lint, direction of imports",
    command: ["node_modules/.bin/biome", "check", "--error-on-warnings", "."],
  },
  { name: "unused", what: "unused files, exports, dependencies", command: ["node_modules/.bin/knip"] },
  { name: "tests", what: "tests", command: ["tests/run.ts"], isShownAtOnce: true },
];

const WRONG_USAGE = 2;
const root = join(import.meta.dir, "..");

const start = ({ what, command, environment = {}, isShownAtOnce = false }: Step) => {
  let isStopped = false;
  const startedAt = performance.now();
  const output = isShownAtOnce ? "inherit" : "pipe";
  // Bun runs them all: whichever Node.js is there, or none.
  const child = Bun.spawn([process.execPath, "--bun", ...command], {
    cwd: root,
    stdio: ["ignore", output, output],
    env: { ...process.env, ...environment },
  });
  const textOf = (stream: ReadableStream<Uint8Array> | undefined) => new Response(stream ?? "").text();
  const ended = async (): Promise<number> => {
    const [code, ...texts] = await Promise.all([child.exited, textOf(child.stdout), textOf(child.stderr)]);
    // A step that was killed has no exit code of its own.
    const isPassed = code === 0 && child.signalCode === null;
    const how = isPassed ? "passed in" : isStopped ? "stopped after" : "failed after";
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`${texts.join("").trimEnd()}\n== ${what}: ${how} ${seconds} s`);
    return isPassed ? 0 : code || 1;
  };
  const stop = () => {
    isStopped = true;
    child.kill("SIGTERM");
  };
  return { what, stop, ended: ended() };
};

/** `bun tests/check.ts [STEP...]`: runs the named steps, or all of them. The exit code is that of the first failure. */
const main = async (names: readonly string[]): Promise<number> => {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`no such step: ${unknown.join(", ")}; the steps are ${STEPS.map(({ name }) => name).join(", ")}`);
    return WRONG_USAGE;
  }
  const running = STEPS.filter(({ name }) => names.length === 0 || names.includes(name)).map(start);
  const stopAll = () => {
    for (const each of running) each.stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stopAll);
  const failures: { readonly what: string; readonly code: number }[] = [];
  const watch = async ({ what, ended }: (typeof running)[number]): Promise<void> => {
    const code = await ended;
    if (code === 0) return;
    failures.push({ what, code });
    stopAll();
  };
  await Promise.all(running.map(watch));
  const [first] = failures;
  if (first !== undefined) console.error(`\n== the first that failed: ${first.what}`);
  return first?.code ?? 0;
};

process.exit(await main(process.argv.slice(2)));
