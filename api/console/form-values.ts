/** The value of a field that carries JSON; undefined: it is none. */
export const parse = (text: string | null): unknown => {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
};

/** Positive numbers by name, of a field that carries JSON. */
export const numbersIn = (text: string | null): Readonly<Record<string, number>> => {
  const value = parse(text);
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (Number(each) > 0 ? [[name, Number(each)] as const] : [])),
  );
};
