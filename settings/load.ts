import { readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import { SETTINGS, type Setting, type SettingName } from "./schema.ts";

type Parsed = { readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never };
type Optional =
  | "DATABASE_URL"
  | "REDIS_URL"
  | "MAIL_SERVER"
  | "MAIL_FROM"
  | "MAIL_USERNAME"
  | "MAIL_PASSWORD"
  | "SERVICE_TOKEN"
  | "CONFIRMATION_SECRET";

/** Each variable's value under its own name, typed. Values that only some roles need may be missing. */
export type Settings = { readonly [Name in Exclude<SettingName, Optional>]: Parsed[Name] } & {
  readonly [Name in Optional]?: Parsed[Name];
};

/** Settings without a default that each role requires. */
const REQUIRED = {
  migrate: ["DATABASE_URL"],
  api: ["DATABASE_URL", "REDIS_URL"],
  consumer: ["DATABASE_URL", "REDIS_URL"],
  ops: ["DATABASE_URL", "REDIS_URL"],
} as const satisfies Record<string, readonly SettingName[]>;

export type Role = keyof typeof REQUIRED;

/** The settings of one role; those that it requires are present. */
export type SettingsOf<R extends Role> = Settings & {
  readonly [Name in (typeof REQUIRED)[R][number]]-?: Parsed[Name];
};

/** The settings of a role with further ones present: those that a consumer group requires. */
export type SettingsWith<R extends Role, Name extends SettingName> = SettingsOf<R> & {
  readonly [Required in Name]-?: Parsed[Required];
};

/** Every fault of the environment in one message. The process exits 78 (EX_CONFIG). */
export class BadSettings extends Error {
  override readonly name = "BadSettings";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const noun = faults.length === 1 ? "setting is" : "settings are";
    super(`${faults.length} ${noun} wrong:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;
type Read = { readonly value: string | undefined } | { readonly fault: string };

const shown = (value: string, secret: boolean): string => (secret ? "its value" : JSON.stringify(value.slice(0, 80)));

/** An empty variable counts as unset: that is how manifests and shells leave things out. */
const readVariable = (name: string, definition: Setting<unknown>, environment: Environment): Read => {
  const direct = environment[name] || undefined;
  const file = definition.secret === true ? environment[`${name}_FILE`] || undefined : undefined;
  if (direct !== undefined && file !== undefined) {
    return { fault: `${name}: set both directly and by ${name}_FILE; expected one of them` };
  }
  if (file === undefined) return { value: direct };
  try {
    return { value: readFileSync(file, "utf8").replace(/\r?\n$/, "") || undefined };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return {
      fault: `${name}_FILE: ${JSON.stringify(file)} cannot be read (${code}); expected a file, for example /run/secrets/${name.toLowerCase()}`,
    };
  }
};

const notSet = (name: string, { example }: Setting<unknown>): string =>
  `${name}: not set; expected for example ${example}`;

const checkTogether = (given: ReadonlySet<string>): string[] =>
  given.has("MAIL_USERNAME") === given.has("MAIL_PASSWORD")
    ? []
    : ["MAIL_USERNAME, MAIL_PASSWORD: only one of them is set; expected both or none"];

/**
 * Reads and checks the environment, once, at start. Every variable that is set is checked, also one that this
 * role does not use; required are only those of the role, and the further ones that are named. Unknown variables are ignored.
 *
 * @throws {BadSettings} naming each faulty variable, its problem and an example
 */
export const loadSettings = <R extends Role>(
  role: R,
  environment: Environment,
  alsoRequired: readonly SettingName[] = [],
): SettingsOf<R> => {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  const required: readonly string[] = [...REQUIRED[role], ...alsoRequired];

  for (const [name, definition] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const read = readVariable(name, definition, environment);
    if ("fault" in read) {
      faults.push(read.fault);
      given.add(name);
      continue;
    }
    if (read.value !== undefined) given.add(name);
    const raw = read.value ?? definition.fallback;
    if (raw === undefined) {
      if (required.includes(name)) faults.push(notSet(name, definition));
      continue;
    }
    const parsed = definition.schema.safeParse(raw);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const problem = parsed.error.issues.map((issue) => issue.message).join(", ");
      faults.push(
        `${name}: ${shown(raw, definition.secret === true)} is not usable: ${problem}; for example ${definition.example}`,
      );
    }
  }
  faults.push(...checkTogether(given));
  if (faults.length > 0) throw new BadSettings(faults);

  values["MAIL_POOL_SIZE"] ??= values["CONSUMER_CONCURRENCY"];
  values["CONSUMER_NAME"] ??= hostname().replace(/[^\x21-\x7e]/g, "-");
  values["PASSWORD_HASH_CONCURRENCY"] ??= availableParallelism();
  return values as SettingsOf<R>;
};

/**
 * The same settings, with the named ones present.
 *
 * @throws {BadSettings} naming each that is missing
 */
export const requireSettings = <R extends Role, Name extends SettingName>(
  settings: SettingsOf<R>,
  names: readonly Name[],
): SettingsWith<R, Name> => {
  if (hasSettings(settings, names)) return settings;
  const given: Readonly<Partial<Record<SettingName, unknown>>> = settings;
  throw new BadSettings(names.filter((name) => given[name] === undefined).map((name) => notSet(name, SETTINGS[name])));
};

const hasSettings = <R extends Role, Name extends SettingName>(
  settings: SettingsOf<R>,
  names: readonly Name[],
): settings is SettingsWith<R, Name> => {
  const given: Readonly<Partial<Record<SettingName, unknown>>> = settings;
  return names.every((name) => given[name] !== undefined);
};
