import { buildChoiceParser, buildCommand, type Command, type RouteMap } from "@stricli/core";
import type { Surroundings } from "../command.ts";
import type { Shell } from "../completion/scripts.ts";
import { type CommonFlags, JSON_FLAG } from "../flags.ts";

const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** Prints the script that completes the commands of these routes in a shell. It needs no store. */
export const completionCommand = (routes: () => RouteMap<Surroundings>): Command<Surroundings> =>
  buildCommand<Pick<CommonFlags, "json">, [Shell], Surroundings>({
    docs: {
      brief: "Print a script that completes commands and flags in bash, zsh or fish",
      fullDescription: [
        "Prints a script that completes commands and flags, and defines `ops` as `bun run ops` where there is no `ops` yet.",
        "",
        "EXAMPLES",
        "  bash  echo 'eval \"$(bun run --silent ops completion bash)\"' >> ~/.bashrc",
        "  zsh   echo 'eval \"$(bun run --silent ops completion zsh)\"' >> ~/.zshrc, after compinit",
        "  fish  bun run --silent ops completion fish > ~/.config/fish/conf.d/ops.fish",
      ].join("\n"),
    },
    parameters: {
      positional: {
        kind: "tuple",
        parameters: [
          {
            parse: buildChoiceParser(SHELLS),
            proposeCompletions: () => SHELLS,
            placeholder: "bash | zsh | fish",
            brief: "The shell",
          },
        ],
      },
      flags: { json: JSON_FLAG },
    },
    async func(_flags, shell) {
      await this.conclude(async () => {
        const { completionScript } = await import("../completion/scripts.ts");
        const script = await completionScript(shell, routes(), this);
        return { json: { shell, script }, text: () => script };
      });
    },
  });
