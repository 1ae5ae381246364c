import { createInterface } from "node:readline/promises";

/**
 * Asks an operator at a terminal to type a word before something is lost. False if it was another one, if there is no
 * terminal to ask at, or on Ctrl-C.
 */
export const confirmed = async (question: string, word: string, signal: AbortSignal): Promise<boolean> => {
  if (!process.stdin.isTTY) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  prompt.on("SIGINT", () => prompt.close());
  const closed = new Promise<string>((resolve) => prompt.on("close", () => resolve("")));
  try {
    return (await Promise.race([prompt.question(`${question} Type ${word} to go on: `, { signal }), closed])) === word;
  } catch {
    // An aborted question is a "no".
    return false;
  } finally {
    prompt.close();
  }
};
