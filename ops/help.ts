import { COMMON_OPTIONS } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { Style } from "./terminal/style.ts";

const columns = (style: Style, rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${style("dim", right)}`).join("\n");
};

const usageOf = (command: Command): string => `bun run ops ${command.name} ${command.usage}`.trimEnd();

/** How a command is called: in one line. */
export const usageLine = (command: Command): string => `usage: ${usageOf(command)}`;

const pageOf = (style: Style, command: Command): string => {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, option]): [string, string] => [
    `--${name}${"placeholder" in option && option.placeholder !== undefined ? ` ${option.placeholder}` : ""}`,
    option.about,
  ]);
  return [
    command.summary,
    `\n${style("bold", "Usage")}\n  ${usageOf(command)}`,
    ...(command.about === undefined ? [] : [`\n${command.about}`]),
    `\n${style("bold", "Options")}\n${columns(style, options)}`,
    `\n${style("bold", "Examples")}\n${columns(
      style,
      command.examples.map(([line, about]) => [`bun run ops ${line}`, about]),
    )}`,
  ].join("\n");
};

/** The page of one command, or the list of several. */
export const helpText = (style: Style, commands: readonly Command[]): string => {
  const [only] = commands;
  if (only !== undefined && commands.length === 1) return pageOf(style, only);
  return [
    "Look at the pipeline, and put it right.",
    `\n${style("bold", "Usage")}\n  bun run ops <command> [options]`,
    `\n${style("bold", "Commands")}\n${columns(
      style,
      commands.map((command) => [`${command.name} ${command.usage}`.trimEnd(), command.summary]),
    )}`,
    `\nEvery command takes --json and --help. Exit codes: 0 done, 1 failed or not found, 2 wrong usage, 78 bad settings.`,
    "DATABASE_URL, REDIS_URL and STREAM_NAME say where; without them, the system that `bun run start` runs here.",
  ].join("\n");
};
