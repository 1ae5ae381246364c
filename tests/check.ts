import { join } from "node:path";

interface Step {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
}

/** Everything that must pass before a change lands, in order; the first failure ends it. */
const STEPS: readonly Step[] = [
  { name: "types", what: "types", command: ["node_modules/.bin/tsc", "--noEmit"] },
  {
    name: "lint",
    what: "format, lint, direction of imports",
    command: ["node_modules/.bin/biome", "check", "--error-on-warnings", "."],
  },
  { name: "unused", what: "unused files, exports, dependencies", command: ["node_modules/.bin/knip"] },
  { name: "tests", what: "tests", command: ["tests/run.ts"] },
];

const WRONG_USAGE = 2;
const root = join(import.meta.dir, "..");

const run = ({ what, command }: Step): number => {
  const startedAt = performance.now();
  console.log(`\n== ${what}`);
  // Bun runs them all: whichever Node.js is there, or none.
  const result = Bun.spawnSync([process.execPath, "--bun", ...command], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  if (result.success) {
    console.log(`== ${what}: passed in ${seconds} s`);
    return 0;
  }
  console.error(`== ${what}: failed after ${seconds} s`);
  // A step that was killed has no exit code of its own.
  return result.exitCode || 1;
};

/** `bun tests/check.ts [STEP...]`: runs the named steps, or all of them. The exit code is that of the first failure. */
const main = (names: readonly string[]): number => {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`no such step: ${unknown.join(", ")}; the steps are ${STEPS.map(({ name }) => name).join(", ")}`);
    return WRONG_USAGE;
  }
  for (const step of STEPS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const code = run(step);
    if (code !== 0) return code;
  }
  return 0;
};

process.exit(main(process.argv.slice(2)));
