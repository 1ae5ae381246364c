/** Exit codes that supervisors and scripts rely on. 78 is EX_CONFIG of sysexits.h. */
export const EXIT = { stopped: 0, failed: 1, badSettings: 78 } as const;

/**
 * Resolves with the signal's name at the first SIGTERM or SIGINT. Later ones are ignored: Ctrl-C reaches a process twice
 * under `bun run`, and a drain has a time limit of its own.
 */
export const untilAskedToStop = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
  });

/** Names of errors that an operator causes: their message is enough, a stack would add nothing. */
const OPERATOR_FAULTS: ReadonlySet<string> = new Set([
  "BadSettings",
  "UnboundGroup",
  "UnknownGroup",
  "UnusableGroup",
  "TablesAreElsewhere",
]);

/** `parseArgs` throws a TypeError, as a bug may; its code distinguishes them. */
const isArgumentFault = (error: Error): boolean =>
  "code" in error && typeof error.code === "string" && error.code.startsWith("ERR_PARSE_ARGS_");

/**
 * Prints to standard error why a process could not start, and returns its exit code. A fault in settings or arguments is
 * printed as its message alone; anything else with its stack.
 */
export const failedToStart = (error: unknown): number => {
  const isOperatorFault = error instanceof Error && (OPERATOR_FAULTS.has(error.name) || isArgumentFault(error));
  console.error(isOperatorFault ? error.message : error);
  return error instanceof Error && error.name === "BadSettings" ? EXIT.badSettings : EXIT.failed;
};
