import { buildChoiceParser, buildCommand, type Command, type RouteMap } from "@stricli/core";
import type { Surroundings } from "../command.ts";
import type { Shell } from "../completion/scripts.ts";
import { COMMON_FLAGS, type CommonFlags } from "../flags.ts";

const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** Prints the script that completes the commands of these routes in a shell. It needs no store. */
export const completionCommand = (routes: () => RouteMap<Surroundings>): Command<Surroundings> =>
  buildCommand<CommonFlags, [Shell], Surroundings>({
    docs: {
      brief: "Print a script that completes commands, flags and groups in bash, zsh or fish",
      fullDescription: [
        "Prints a script that completes commands, flags and groups, and defines `ops` as `bun run ops` where there is no `ops` yet.",
        "The groups of webhooks are those of WEBHOOKS, or else of the system that runs on this machine: print it again for others.",
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
      flags: COMMON_FLAGS,
    },
    async func({ data }, shell) {
      await this.conclude(async () => {
        const { readLocalSystem } = await import("../local-addresses.ts");
        // The receivers of webhooks are groups, too: those of this environment, else of the system that runs here.
        process.env["WEBHOOKS"] ??= readLocalSystem(data ?? ".local")?.settings["WEBHOOKS"] ?? "";
        const { completionScript } = await import("../completion/scripts.ts");
        const script = await completionScript(shell, routes(), this);
        return { json: { shell, script }, text: () => script };
      });
    },
  });
