import { createInterface } from "node:readline/promises";
import { count } from "../../runtime/quantity.ts";

/** More than this is changed only if the operator says how many. */
const ASK_FROM = 100;

/** What an operator reads who did not confirm. */
export const NOT_CONFIRMED = `not confirmed (without a terminal, give --yes for more than ${ASK_FROM})`;

/** Whether so many may be changed: few, or the operator gave `--yes`, or types the number. */
export const mayChange = async (
  many: number,
  noun: string,
  { yes = false, signal }: { readonly yes?: boolean | undefined; readonly signal: AbortSignal },
): Promise<boolean> =>
  many <= ASK_FROM || yes || confirmed(`This changes ${count(many)} ${noun}.`, String(many), signal);

/**
 * Asks the operator to type a word before something is lost. False if the operator types anything else or presses Ctrl-C,
 * or if there is no terminal.
 */
export const confirmed = async (question: string, word: string, signal: AbortSignal): Promise<boolean> => {
  if (!process.stdin.isTTY) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.on("SIGINT", () => prompt.close());
  const closed = new Promise<string>((resolve) => prompt.on("close", () => resolve("")));
  try {
    return (
      (await Promise.race([prompt.question(`${question} Type ${word} to continue: `, { signal }), closed])) === word
    );
  } catch {
    // An aborted question counts as a no.
    return false;
  } finally {
    prompt.close();
  }
};
