import { readFileSync } from "node:fs";
import type { Setting } from "./values.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** One variable as it was read: its value, or why it has none. */
export type Read<Value> =
  | { readonly kind: "value"; readonly value: Value; readonly isGiven: boolean }
  | { readonly kind: "fault"; readonly fault: string }
  /** `fault`: what to say if it is required. */
  | { readonly kind: "missing"; readonly fault: string };

const shown = (value: string, secret: boolean): string => (secret ? "its value" : JSON.stringify(value.slice(0, 80)));

/** What to say of a variable that is not set. */
export const notSet = (name: string, { example }: Setting<unknown>): string =>
  `${name}: not set; expected for example ${example}`;

type Text = { readonly text: string | undefined } | { readonly fault: string };

/** An empty variable counts as unset: that is how manifests and shells leave things out. */
const textOf = (name: string, definition: Setting<unknown>, environment: Environment): Text => {
  const direct = environment[name] || undefined;
  const file = definition.secret === true ? environment[`${name}_FILE`] || undefined : undefined;
  if (direct !== undefined && file !== undefined) {
    return { fault: `${name}: set both directly and by ${name}_FILE; expected one of them` };
  }
  if (file === undefined) return { text: direct };
  try {
    return { text: readFileSync(file, "utf8").replace(/\r?\n$/, "") || undefined };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return {
      fault: `${name}_FILE: ${JSON.stringify(file)} cannot be read (${code}); expected a file, for example /run/secrets/${name.toLowerCase()}`,
    };
  }
};

/** Reads and checks one variable. A secret may come from the file that `NAME_FILE` names, and is never shown. */
export const readSetting = <Value>(name: string, definition: Setting<Value>, environment: Environment): Read<Value> => {
  const given = textOf(name, definition, environment);
  if ("fault" in given) return { kind: "fault", fault: given.fault };
  const raw = given.text ?? definition.fallback;
  if (raw === undefined) return { kind: "missing", fault: notSet(name, definition) };
  const parsed = definition.schema.safeParse(raw);
  if (parsed.success) return { kind: "value", value: parsed.data, isGiven: given.text !== undefined };
  const problem = parsed.error.issues.map((issue) => issue.message).join(", ");
  const value = shown(raw, definition.secret === true);
  return { kind: "fault", fault: `${name}: ${value} is not usable: ${problem}; for example ${definition.example}` };
};
