import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runWords } from "../../ops/app.ts";

const root = join(import.meta.dir, "..", "..");

/** A document for operators, with the commands in it. */
export interface OperatorText {
  readonly path: string;
  /** Whole, with line breaks that only wrap a paragraph as spaces. */
  readonly prose: string;
  /** Inline code. */
  readonly code: readonly string[];
  /** Lines of its shell blocks, and inline code that is a command. */
  readonly commands: readonly string[];
}

const SHELL_BLOCK = /^```sh\n([\s\S]*?)^```/gm;
const COMMAND = /^(bun|kubectl) /;

/** Reads a Markdown file of the repository. */
export const readOperatorText = (path: string): OperatorText => {
  const text = readFileSync(join(root, path), "utf8");
  const blocks = [...text.matchAll(SHELL_BLOCK)].flatMap(([, block = ""]) => block.trim().split("\n"));
  const prose = text.replace(SHELL_BLOCK, "").replace(/(?<!\n)\n(?!\n|#|-|\|)/g, " ");
  const code = [...prose.matchAll(/`([^`]+)`/g)].map(([, inline = ""]) => inline);
  // `a & b` is two commands.
  const commands = [...blocks.flatMap((line) => line.split(/ & ?/)), ...code.filter((inline) => COMMAND.test(inline))];
  return { path, prose, code, commands: commands.filter((command) => command !== "") };
};

/** `bun run ops dead show EVENT_ID` -> the words after `ops`, with a value for each placeholder; undefined if it is none. */
export const opsWords = (command: string): readonly string[] | undefined => {
  const line = /\bbun (?:run ops|ops\/main\.ts) (.*)$/.exec(command)?.[1];
  return line
    ?.replaceAll(/<event id>|\bEVENT_ID\b/g, "0190c3a1-6f0e-7000-8000-000000000001")
    .replaceAll(/<group>|\bGROUP\b/g, "welcome-email")
    .replaceAll("<orphaned group>", "a-group-of-the-past")
    .split(" ");
};

/** What the command line says against the words; undefined if it would run them. Runs nothing. */
export const faultOf = async (words: readonly string[]): Promise<string | undefined> => {
  const faults: string[] = [];
  let isAccepted = false;
  await runWords(words, {
    process: { stdout: { write: () => {} }, stderr: { write: (text) => void faults.push(text) } },
    connected: async () => {
      isAccepted = true;
      return { json: null, text: () => "" };
    },
    conclude: async (produce) => {
      await produce().catch((error: unknown) => {
        faults.push(String(error));
      });
    },
  });
  return isAccepted || faults.length === 0 ? undefined : faults.join("");
};
