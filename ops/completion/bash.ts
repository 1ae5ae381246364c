import { type Level, stepsOf, valuesByFlag } from "./levels.ts";

/** A word of a POSIX shell, literally. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** How `ops` is started where there is no such command yet, in bash and zsh. */
export const launcher = (start: readonly string[]): string =>
  `type ops >/dev/null 2>&1 || ops() { ${start.map(quoted).join(" ")} "$@"; }`;

/** Words are matched from static lists: nothing is started while somebody types. Works in bash 3.2 and later. */
export const bashScript = (levels: readonly Level[], start: readonly string[]): string => {
  const values = valuesByFlag(levels).map(
    ({ key, values: known }) => `    ${quoted(key)}) candidates=${quoted(known.join(" "))} ;;`,
  );
  const words = levels.map(({ route, commands, flags, values: known }) => {
    const names = [...commands.map(({ name }) => name), ...known, ...flags.map(({ name }) => name)];
    return `    ${quoted(route)}:*) candidates=${quoted(names.join(" "))} ;;`;
  });
  return `${launcher(start)}

_ops() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" candidates="" route="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$route $word" in
    ${stepsOf(levels).map(quoted).join(" | ")}) route="\${route:+$route }$word" ;;
    esac
  done
  case "$route:$previous" in
${[...values, ...words].join("\n")}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -F _ops ops`;
};
