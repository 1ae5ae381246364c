import { type Level, stepsOf } from "./levels.ts";

/** A word of fish, literally. */
const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const linesOf = ({ route, commands, flags, values }: Level): readonly string[] => {
  const here = `complete -c ops -n ${quoted(`__ops_route ${quoted(route)}`)}`;
  return [
    ...commands.map(({ name, brief }) => `${here} -a ${quoted(name)} -d ${quoted(brief)}`),
    ...(values.length === 0 ? [] : [`${here} -a ${quoted(values.join(" "))}`]),
    ...flags.map(({ name, brief, values: known }) => {
      const value = known === undefined ? "" : known.length === 0 ? " -x" : ` -x -a ${quoted(known.join(" "))}`;
      return `${here} -l ${quoted(name.slice(2))}${value} -d ${quoted(brief)}`;
    }),
  ];
};

export const fishScript = (levels: readonly Level[], start: readonly string[]): string => `if not type -q ops
    function ops
        ${start.map(quoted).join(" ")} $argv
    end
end

function __ops_route
    set -l words (commandline -opc)
    set -l route
    for word in $words[2..]
        switch "$route $word"
            case ${stepsOf(levels).map(quoted).join(" ")}
                set route (string trim "$route $word")
        end
    end
    test "$route" = "$argv[1]"
end
complete -c ops -f
${levels.flatMap(linesOf).join("\n")}`;
