/**
 * Whether an event type matches a pattern as the routing key of an AMQP 0-9-1 topic exchange does: both are words between
 * dots; `*` stands for exactly one word, `#` for any number of them, none included; every other word is literal.
 */
export const matchesPattern = (pattern: string, type: string): boolean =>
  matchesWords(pattern.split("."), type === "" ? [] : type.split("."));

const matchesWords = (pattern: readonly string[], words: readonly string[]): boolean => {
  // Positions in `words` that the pattern can reach, one part at a time: linear in both lengths.
  let places = new Set([0]);
  for (const expected of pattern) {
    const next = new Set<number>();
    for (const place of places) {
      if (expected === "#") for (let end = place; end <= words.length; end += 1) next.add(end);
      else if (place < words.length && (expected === "*" || expected === words[place])) next.add(place + 1);
    }
    places = next;
  }
  return places.has(words.length);
};

/** `order.placed.v2` -> `order.placed` */
const withoutVersion = (type: string): string => type.replace(/\.v\d+$/, "");

/** What a group does with an event type: handles it, knows it only in another version, or ignores it. */
export type Binding = "handled" | "unknown-version" | "unbound";

/**
 * How patterns bind to a type. `knownTypes`: every type that this code can read. A type that a pattern names in
 * full is handled. So is one that a wildcard matches, unless this code knows it only in another version.
 */
export const bindingTo = (patterns: readonly string[], type: string, knownTypes: readonly string[]): Binding => {
  if (patterns.includes(type)) return "handled";
  const isMatched = patterns.some((pattern) => matchesPattern(pattern, type));
  if (isMatched && knownTypes.includes(type)) return "handled";
  const bound = knownTypes.filter((known) => patterns.some((pattern) => matchesPattern(pattern, known)));
  const isOtherVersion = [...bound, ...patterns].some((known) => withoutVersion(known) === withoutVersion(type));
  if (isOtherVersion) return "unknown-version";
  return isMatched ? "handled" : "unbound";
};
