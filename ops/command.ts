import {
  type BaseArgs,
  buildCommand,
  type Command,
  type TypedCommandParameters,
  type CommandContext as WithStreams,
} from "@stricli/core";
import type { SettingsOf } from "../settings/load.ts";
import type { Operator } from "./actions/operator.ts";
import type { Store } from "./actions/stores.ts";
import type { Screen } from "./terminal/screen.ts";
import type { Style } from "./terminal/style.ts";

/** A command's result: as data for `--json`, and as text for people. */
export interface Answer {
  /** undefined: it has been shown already. */
  readonly json: unknown;
  readonly text: (style: Style) => string;
  /** Exit 1: nothing was found, or not everything was done. */
  readonly failed?: boolean;
}

/** What a command runs with. */
export interface CommandContext extends Operator {
  readonly settings: SettingsOf<"ops">;
  /** How to start the local system, if the stores are its own; undefined: they are others'. */
  readonly localStart: string | undefined;
  /** For messages beside the answer, on standard error. */
  readonly say: (message: string) => void;
  readonly now: () => Date;
  /** For what is shown before the command ends. */
  readonly screen: Screen;
}

/** The answer of a command that has shown all it had to say. */
export const SHOWN: Answer = { json: undefined, text: () => "" };

/** What a command asks of its surroundings before it runs. */
export interface Requirements {
  /** Stores that must answer first. */
  readonly needs: readonly Store[];
  /** Goes on when a store goes away, and says so itself. */
  readonly outlivesStores?: boolean;
  /** Whether it publishes entries, whose `send` spans are then exported. */
  readonly publishes?: boolean;
}

/** What the operator says of themselves and of the system, whatever the command is. */
export interface Given {
  /** Who they are: `--as`. */
  readonly actor: string | undefined;
  /** The folder of a local system: `--data`. */
  readonly data: string | undefined;
  /** They act although nothing can be recorded: `--unrecorded`. */
  readonly allowsUnrecorded: boolean;
}

const givenIn = (flags: object): Given => ({
  actor: "as" in flags && typeof flags.as === "string" ? flags.as : undefined,
  data: "data" in flags && typeof flags.data === "string" ? flags.data : undefined,
  allowsUnrecorded: "unrecorded" in flags && flags.unrecorded === true,
});

/** What surrounds all commands: the process itself, or a test. */
export interface Surroundings extends WithStreams {
  /** Prints the answer or the error, and sets the exit code. */
  readonly conclude: (produce: () => Promise<Answer>) => Promise<void>;
  /** Connects to the stores for as long as the work takes. */
  readonly connected: (
    requirements: Requirements & Given,
    work: (context: CommandContext) => Promise<Answer>,
  ) => Promise<Answer>;
}

/** Values of flags by their names, camelCase for `--kebab-case`. */
type Flags<Values> = Readonly<Partial<Record<keyof Values, unknown>>>;

/**
 * One command: what it does, its flags and arguments, and its work. The work imports what touches a store when it runs, so
 * that help, completion and faulty usage load none of it.
 */
interface Definition<Values extends Flags<Values>, Arguments extends BaseArgs> extends Requirements {
  /** One line for the list of commands. */
  readonly brief: string;
  /** What to know before using it. */
  readonly about?: string;
  readonly parameters: NoInfer<TypedCommandParameters<Values, Arguments, Surroundings>>;
  readonly examples: readonly (readonly [line: string, about: string])[];
  /**
   * Checks flags and arguments against each other, before any store is asked.
   *
   * @throws {UsageError}
   */
  readonly check?: (flags: Values, ...args: Arguments) => unknown;
  readonly run: (context: CommandContext, flags: Values, ...args: Arguments) => Promise<Answer>;
}

/** How the program is started, as help and examples show it. */
export const PROGRAM = "bun run ops";

const descriptionOf = (brief: string, about: string | undefined, examples: Definition<object, []>["examples"]) => {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${PROGRAM} ${line.padEnd(width)}  ${what}`);
  return [brief, ...(about === undefined ? [] : [`\n${about}`]), "\nEXAMPLES", ...lines].join("\n");
};

/** Makes a command of the route map from its definition. */
export const command = <const Values extends Flags<Values>, const Arguments extends BaseArgs = []>({
  brief,
  about,
  parameters,
  examples,
  check,
  run,
  ...requirements
}: Definition<Values, Arguments>): Command<Surroundings> =>
  buildCommand<Values, Arguments, Surroundings>({
    docs: { brief, fullDescription: descriptionOf(brief, about, examples) },
    parameters,
    async func(flags, ...args) {
      await this.conclude(async () => {
        await check?.(flags, ...args);
        return this.connected({ ...requirements, ...givenIn(flags) }, (context) => run(context, flags, ...args));
      });
    },
  });

/** The command line makes no sense. Exit 2, with the usage of the command that was meant. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
