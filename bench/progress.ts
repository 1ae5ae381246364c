const WIDTH = 24;

/** A bar of `done` of `all`, and what is being done. */
export const bar = (done: number, all: number, what: string): string => {
  const full = Math.round((done / all) * WIDTH);
  return `[${"█".repeat(full)}${"·".repeat(WIDTH - full)}] ${done} of ${all}  ${what}`;
};

/** Shows it on standard error: in place on a terminal, else a line each time. */
export const showProgress = (done: number, all: number, what: string): void => {
  const text = bar(done, all, what);
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}${done === all ? "\n" : ""}` : `${text}\n`);
};
