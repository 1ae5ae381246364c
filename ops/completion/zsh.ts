import { launcher, quoted } from "./bash.ts";
import { type Level, stepsOf, valuesByFlag } from "./levels.ts";

/** `name:description`, as `_describe` reads it. */
const described = ({ name, brief }: { readonly name: string; readonly brief: string }): string =>
  quoted(`${name.replaceAll(":", "\\:")}:${brief}`);

export const zshScript = (levels: readonly Level[], start: readonly string[]): string => {
  const values = valuesByFlag(levels).map(
    ({ key, values: known }) => `    (${quoted(key)}) compadd -- ${known.map(quoted).join(" ")}; return ;;`,
  );
  const words = levels.map(
    ({ route, commands, flags, values: known }) =>
      `    (${quoted(route)})
      commands=(${[...commands.map(described), ...known.map(quoted)].join(" ")})
      flags=(${flags.map(described).join(" ")}) ;;`,
  );
  return `${launcher(start)}

_ops() {
  local route="" previous="\${words[CURRENT-1]}" word
  local -a commands flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$route $word" in
    (${stepsOf(levels).map(quoted).join(" | ")}) route="\${route:+$route }$word" ;;
    esac
  done
  case "$route:$previous" in
${values.join("\n")}
  esac
  case "$route" in
${words.join("\n")}
  esac
  _describe -t commands command commands
  _describe -o -t options option flags
}
compdef _ops ops`;
};
