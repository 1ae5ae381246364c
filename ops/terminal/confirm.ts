import { createInterface } from "node:readline/promises";

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
