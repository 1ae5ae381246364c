/** How large a text may be in ways that its length does not say. */
export interface ShapeLimits {
  /** Containers within each other. */
  readonly depth: number;
  /** Names and array elements of the whole body. */
  readonly values: number;
}

/** No body that describes ourselves needs more than two containers within each other. */
const OURS: ShapeLimits = { depth: 16, values: 1_000 };

export type ShapeFault = "too_deep" | "too_many_values" | "duplicate_name";

const QUOTATION_MARK = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** A name between its quotation marks. */
const nameOf = (token: string): string => (token.includes("\\") ? String(JSON.parse(token)) : token.slice(1, -1));

/** Whether the character at `index` has an odd number of backslashes before it. */
const isEscaped = (json: string, index: number): boolean => {
  let from = index;
  while (json.charCodeAt(from - 1) === BACKSLASH) from -= 1;
  return (index - from) % 2 === 1;
};

/** Behind the string that begins at `from`. */
const endOfString = (json: string, from: number): number => {
  let end = json.indexOf('"', from + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end + 1;
};

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
  /** Where the last string begins and ends. */
  let [from, to] = [0, 0];
  for (let index = 0; index < json.length; index += 1) {
    const token = json[index];
    if (token === '"') {
      from = index;
      to = endOfString(json, index);
      index = to - 1;
    } else if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : undefined);
      if (open.length > depth) return "too_deep";
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token === ",") {
      values += 1;
      if (values > most) return "too_many_values";
    } else if (token === ":") {
      const names = open.at(-1);
      const name = nameOf(json.slice(from, to));
      if (names?.has(name)) return "duplicate_name";
      names?.add(name);
    }
  }
  return undefined;
};

/**
 * Whether a text is an object without containers in it, and no name is there twice: so are most bodies, and seeing it takes neither a set
 * nor a text for each name. False says nothing. Pure.
 *
 * @param value what `JSON.parse` makes of the text
 */
export const isFlatObject = (json: string, value: unknown, { values: most }: ShapeLimits = OURS): boolean => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const names = Object.keys(value);
  for (const each of Object.values(value)) if (typeof each === "object" && each !== null) return false;
  let [values, named] = [1, 0];
  for (let index = 0; index < json.length; index += 1) {
    const code = json.charCodeAt(index);
    if (code === QUOTATION_MARK) index = endOfString(json, index) - 1;
    else if (code === COMMA) values += 1;
    else if (code === COLON) named += 1;
  }
  // Of members with one name the value has the last alone.
  return named === names.length && values <= most;
};
