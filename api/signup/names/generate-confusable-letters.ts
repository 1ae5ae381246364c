import { join } from "node:path";
import { argv } from "node:process";

/** A Unicode escape, so that no editor shows the table's characters as something else, or reorders them. */
const escaped = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** Without marks, strokes and case, which the comparison drops anyway, as it takes `rn` for `m`. */
const bare = (text: string): string =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("rn", "m");

const fromHex = (codes: string): string =>
  String.fromCodePoint(
    ...codes
      .trim()
      .split(" ")
      .map((code) => Number.parseInt(code, 16)),
  );

/** Lines of `confusables.txt`: `0430 ;	0061 ;	MA	# ...`. */
const pairsOf = (text: string): (readonly [character: string, lookalike: string])[] =>
  text.split("\n").flatMap((line) => {
    const [source, target, type] = line.replace(/#.*/, "").split(";");
    return source === undefined || target === undefined || type?.trim() !== "MA"
      ? []
      : [[fromHex(source), fromHex(target)] as const];
  });

/** Those that look like ASCII letters, and that compatibility decomposition does not turn into them. */
const tableOf = (text: string): ReadonlyMap<string, readonly string[]> => {
  const pairs = pairsOf(text).filter(
    ([character, lookalike]) =>
      /[^\p{ASCII}]/u.test(character) && /^[a-z]+$/.test(bare(lookalike)) && bare(character) !== bare(lookalike),
  );
  const table = Map.groupBy(pairs, ([, lookalike]) => bare(lookalike));
  return new Map([...table].toSorted().map(([letters, ofLetters]) => [letters, ofLetters.map(([each]) => each)]));
};

/**
 * Writes `confusable-letters.ts` from Unicode's own data:
 *
 *     bun api/signup/names/generate-confusable-letters.ts confusables.txt 18.0.0
 */
const generate = async (source: string, version: string): Promise<void> => {
  const table = tableOf(await Bun.file(source).text());
  const rows = [...table].map(([letters, characters]) => `  ${letters}: "${characters.map(escaped).join("")}",`);
  const text = `// Written by generate-confusable-letters.ts.
// biome-ignore-all format: one row for each letter.
/**
 * Characters that look like ASCII letters: the part of Unicode ${version}'s \`confusables.txt\` (UTS 39, data file of
 * https://www.unicode.org/reports/tr39/, Unicode License v3) that compatibility decomposition does not turn into them.
 */
export const CONFUSABLE_LETTERS: Readonly<Record<string, string>> = {
${rows.join("\n")}
};
`;
  await Bun.write(join(import.meta.dir, "confusable-letters.ts"), text);
};

const [source, version] = argv.slice(2);
if (source === undefined || version === undefined) throw new Error(`usage: bun ${argv[1]} confusables.txt VERSION`);
await generate(source, version);
