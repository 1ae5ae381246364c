/** How large a text may be in ways that its length does not say. */
export interface ShapeLimits {
  /** Containers within each other. */
  readonly depth: number;
  /** Names and array elements of the whole body. */
  readonly values: number;
}

/** No body that describes ourselves needs more than two containers within each other. */
const OURS: ShapeLimits = { depth: 16, values: 1_000 };

/** Every token of a JSON text but numbers, `true`, `false`, `null` and white space. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

export type ShapeFault = "too_deep" | "too_many_values" | "duplicate_name";

const nameOf = (token: string): string => (token.includes("\\") ? String(JSON.parse(token)) : token.slice(1, -1));

/**
 * What is wrong with a text that is JSON, but that not every reader understands alike, or that is made to be expensive;
 * undefined if nothing is. Of two members with one name `JSON.parse` keeps the last, and what stands before us, as a
 * firewall, may have read the first (RFC 8259, 4; I-JSON, RFC 7493, 2.3). Pure.
 *
 * @param json a text that `JSON.parse` accepts
 */
export const shapeFault = (json: string, { depth, values: most }: ShapeLimits = OURS): ShapeFault | undefined => {
  /** The names of each object that is open; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let values = 1;
  let last = "";
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : undefined);
      if (open.length > depth) return "too_deep";
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token === ",") {
      values += 1;
      if (values > most) return "too_many_values";
    } else if (token === ":") {
      const names = open.at(-1);
      const name = nameOf(last);
      if (names?.has(name)) return "duplicate_name";
      names?.add(name);
    }
    last = token;
  }
  return undefined;
};
