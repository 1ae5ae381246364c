import type { SettingsOf } from "../settings/load.ts";
import type { Operator } from "./operator.ts";
import type { Style } from "./terminal/style.ts";

/** One option of a command, in long form. */
export interface CommandOption {
  readonly type: "boolean" | "string";
  /** What stands for the value in the usage: `N`, `REASON`. */
  readonly placeholder?: string;
  readonly about: string;
}

/** What the operator wrote after the command's name. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** The value of a string option. */
  text(option: string): string | undefined;
  /** Whether a boolean option was given. */
  has(option: string): boolean;
}

/** The stores that a command cannot do without. */
export type Store = "database" | "redis";

export interface CommandContext extends Operator {
  readonly settings: SettingsOf<"ops">;
  readonly args: Arguments;
  /** For messages beside the answer. On standard error. */
  readonly say: (message: string) => void;
  readonly now: () => Date;
}

/** What a command has to say: as data for `--json`, and as text for people. */
export interface Answer {
  readonly json: unknown;
  readonly text: (style: Style) => string;
  /** Exit 1: nothing was found, or not all was done. */
  readonly failed?: boolean;
}

export interface Command {
  /** One or two words: `status`, `dead retry`. */
  readonly name: string;
  /** A line for the list of commands. */
  readonly summary: string;
  /** What follows the name: `<event id> | --all`. */
  readonly usage: string;
  /** What is worth knowing before it is used. */
  readonly about?: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** How many words may follow, at least and at most. */
  readonly words: readonly [least: number, most: number];
  readonly examples: readonly (readonly [line: string, about: string])[];
  /** Asked for an answer before the command runs; a doctor needs none. */
  readonly needs: readonly Store[];
  /**
   * What can be said against the arguments without asking any store.
   *
   * @throws {UsageError}
   */
  readonly check?: (args: Arguments) => void;
  run(context: CommandContext): Promise<Answer>;
}

/** The command line makes no sense. Exit 2, with the usage of what was probably meant. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * A whole number from an option.
 *
 * @throws {UsageError}
 */
export const wholeNumber = (args: Arguments, option: string, fallback: number, most = 1_000_000): number => {
  const text = args.text(option);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) {
    throw new UsageError(`--${option} ${text}: expected a whole number from 1 to ${most}`);
  }
  return value;
};

export const JSON_OPTION: CommandOption = { type: "boolean", about: "one JSON document on standard output" };
export const GROUP_OPTION: CommandOption = {
  type: "string",
  placeholder: "GROUP",
  about: "only this consumer group (default: every group)",
};
export const DRY_RUN_OPTION: CommandOption = { type: "boolean", about: "count what would be done, and do nothing" };
