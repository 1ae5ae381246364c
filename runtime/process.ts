/** Exit codes that supervisors and scripts rely on. 78 is EX_CONFIG of sysexits.h. */
export const EXIT = { stopped: 0, failed: 1, badSettings: 78 } as const;

/**
 * Resolves with the signal's name at the first SIGTERM or SIGINT. Later ones change nothing: Ctrl-C reaches a process
 * twice under `bun run`, and a drain that is under way is bounded by its own time limit.
 */
export const untilAskedToStop = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
  });

/** Says on standard error why a process could not start, and gives its exit code. A faulty setting is told, not traced. */
export const failedToStart = (error: unknown): number => {
  if (error instanceof Error && error.name === "BadSettings") {
    console.error(error.message);
    return EXIT.badSettings;
  }
  const isExpected = error instanceof Error && ["UnknownGroup", "TypeError"].includes(error.name);
  console.error(isExpected ? error.message : error);
  return EXIT.failed;
};
