import type { Surroundings } from "../command.ts";
import type { Route } from "../route.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { levelsOf } from "./levels.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export type Shell = keyof typeof SCRIPTS;

/**
 * The script that completes commands, flags and names of groups in a shell, made from the routes. `@stricli/auto-complete`
 * is not used: it knows bash alone, edits `~/.bashrc` by itself, and starts the program at each press of Tab.
 */
export const completionScript = async (shell: Shell, routes: Route, surroundings: Surroundings): Promise<string> =>
  SCRIPTS[shell](await levelsOf(routes, surroundings), [process.execPath, Bun.main]);
