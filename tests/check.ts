import { join } from "node:path";

/** Everything that must pass before a change lands, in order; the first failure ends it. */
const STEPS: readonly (readonly [what: string, command: readonly string[]])[] = [
  ["types", ["node_modules/.bin/tsc", "--noEmit"]],
  ["format, lint, direction of imports", ["node_modules/.bin/biome", "check", "--error-on-warnings", "."]],
  ["unused files, exports, dependencies", ["node_modules/.bin/knip"]],
  ["tests", ["tests/run.ts"]],
];

const root = join(import.meta.dir, "..");

for (const [what, command] of STEPS) {
  const startedAt = performance.now();
  console.log(`\n== ${what}`);
  // Bun runs them all: whichever Node.js is there, or none.
  const result = Bun.spawnSync([process.execPath, "--bun", ...command], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  if (!result.success) {
    console.error(`== ${what}: failed after ${seconds} s`);
    // A step that was killed has no exit code of its own.
    process.exit(result.exitCode || 1);
  }
  console.log(`== ${what}: passed in ${seconds} s`);
}
