import { expect, test } from "bun:test";
import { aScreen } from "./screen-for-tests.ts";
import { fittedFrame, type WatchOptions, watch } from "./watch.ts";

const COUNTED = {
  frame: (value: number) => `all is well\n\n${value} mails`,
  line: (value: number) => `${value} mails`,
  json: (value: number) => ({ mailsSent: value }),
};

/** Readings 1, 2, 3, ...; the times that are waited for are kept instead. */
const steered = (parts: Partial<WatchOptions> = {}) => {
  const waits: number[] = [];
  const screen = aScreen(parts.screen);
  let value = 0;
  const options: WatchOptions = {
    intervalMs: 2_000,
    count: 2,
    signal: new AbortController().signal,
    wait: async (ms) => void waits.push(ms),
    ...parts,
    screen,
  };
  return { run: () => watch({ read: async () => ++value, ...COUNTED }, options), screen, waits };
};

test("a watch in a pipe appends one line each time", async () => {
  const { run, screen, waits } = steered();
  await run();
  expect(screen.text()).toBe("1 mails\n2 mails\n");
  expect(waits).toEqual([2_000]);
});

test("with --json each line is one document, on a terminal, too", async () => {
  const { run, screen } = steered({ screen: aScreen({ isTerminal: true, wantsJson: true }) });
  await run();
  expect(screen.text()).toBe('{"mails_sent":1}\n{"mails_sent":2}\n');
});

test("on a terminal each frame is drawn over the one before, and leaves nothing of it", async () => {
  const { run, screen } = steered({ screen: aScreen({ isTerminal: true }) });
  await run();
  const frame = (value: number) => `\x1b[Hall is well\x1b[K\n\x1b[K\n${value} mails\x1b[K\n\x1b[J`;
  expect(screen.text()).toBe(`\x1b[2J${frame(1)}${frame(2)}`);
});

test("ends at once when it is stopped: between two readings, and in the middle of one", async () => {
  const between = new AbortController();
  const first = steered({ count: 5, signal: between.signal, wait: async () => between.abort() });
  await first.run();
  expect(first.screen.text()).toBe("1 mails\n");
  const within = new AbortController();
  const screen = aScreen();
  const never = new Promise<number>(() => {});
  const read = () => {
    within.abort();
    return never;
  };
  await watch({ read, ...COUNTED }, { screen, intervalMs: 1, signal: within.signal, wait: async () => {} });
  expect(screen.text()).toBe("");
});

test.each([
  [{}, ["one two three", "four", "five"]],
  [{ width: 7 }, ["one two", " three", "four", "five"]],
  [{ rows: 4 }, ["one two three", "four", "five"]],
  [{ rows: 3 }, ["one two three", "(2 more lines; make the terminal higher)"]],
  [{ width: 7, rows: 4 }, ["one two", " three", "(2 more lines; make the terminal higher)"]],
])("a frame on a terminal of %j is %j", (limits, lines) => {
  expect(fittedFrame("one two three\nfour\nfive", limits)).toEqual(lines);
});
