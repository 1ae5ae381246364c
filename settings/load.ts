import { availableParallelism, hostname } from "node:os";
import type { CONSOLE } from "./console.ts";
import type { LIMITS } from "./limits.ts";
import { type MAIL_IDENTITY, MAIL_IDENTITY_PAIRS } from "./mail-identity.ts";
import { type Environment, notSet, readSetting } from "./read.ts";
import { readReceivers } from "./receivers.ts";
import { SETTINGS, type SettingName } from "./schema.ts";
import type { Setting } from "./values.ts";
import {
  RECEIVER_SETTINGS,
  type Receiver,
  type ReceiverVariable,
  receiverNames,
  receiverVariable,
} from "./webhooks.ts";

type Parsed = { readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never };
type Optional =
  | "LISTEN_HOST"
  | "DATABASE_URL"
  | "REDIS_URL"
  | "MAIL_SERVER"
  | "MAIL_FROM"
  | "MAIL_USERNAME"
  | "MAIL_PASSWORD"
  | keyof typeof MAIL_IDENTITY
  | "SERVICE_TOKEN"
  | "CONFIRMATION_SECRET"
  | "MAIL_RATE_PER_SECOND"
  | "MAIL_RATE_PER_DAY"
  | keyof typeof CONSOLE
  | keyof typeof LIMITS;

/** Each variable's value under its own name, typed. Values that only some roles need may be missing. */
export type Settings = { readonly [Name in Exclude<SettingName, Optional>]: Parsed[Name] } & {
  readonly [Name in Optional]?: Parsed[Name];
} & {
  /** Those that `WEBHOOKS` names, in its order. */
  readonly receivers: readonly Receiver[];
};

/** A setting that a group may require: one of everybody's, or one of a receiver's. */
export type RequiredSetting = SettingName | ReceiverVariable;

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

const checkTogether = (given: ReadonlySet<string>): string[] =>
  [["MAIL_USERNAME", "MAIL_PASSWORD"] as const, ...MAIL_IDENTITY_PAIRS]
    .filter(([one, other]) => given.has(one) !== given.has(other))
    .map((pair) => `${pair.join(", ")}: only one of them is set; expected both or none`);

/**
 * Reads and checks the environment, once, at start. Every variable that is set is checked, also one that this
 * role does not use; required are only those of the role, and the further ones that are named, which may depend on the
 * receivers. Unknown variables are ignored.
 *
 * @throws {BadSettings} naming each faulty variable, its problem and an example
 */
export const loadSettings = <R extends Role>(
  role: R,
  environment: Environment,
  alsoRequired: readonly RequiredSetting[] | ((receivers: readonly Receiver[]) => readonly RequiredSetting[]) = [],
): SettingsOf<R> => {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  const missing = new Map<string, string>();

  for (const [name, definition] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const read = readSetting(name, definition, environment);
    if (read.kind === "missing") missing.set(name, read.fault);
    else if (read.kind === "fault") faults.push(read.fault);
    else values[name] = read.value;
    if (read.kind === "fault" || (read.kind === "value" && read.isGiven)) given.add(name);
  }
  const webhooks = readReceivers(receiverNames.safeParse(environment["WEBHOOKS"] ?? "").data ?? [], environment, {
    allowPrivate: values["WEBHOOK_ALLOW_PRIVATE"] === true,
  });
  faults.push(...checkTogether(given), ...webhooks.faults);
  const further = typeof alsoRequired === "function" ? alsoRequired(webhooks.receivers) : alsoRequired;
  const required: ReadonlySet<string> = new Set([...REQUIRED[role], ...further]);
  for (const [name, fault] of [...missing, ...webhooks.missing]) if (required.has(name)) faults.push(fault);
  if (faults.length > 0) throw new BadSettings(faults);

  values["receivers"] = webhooks.receivers;
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

/** A receiver to which webhooks can be sent. */
export type CompleteReceiver = Required<Receiver>;

/**
 * The receiver, with all that sending needs.
 *
 * @throws {BadSettings} naming each setting that is missing
 */
export const requireReceiver = (receiver: Receiver): CompleteReceiver => {
  const { name, url, secrets } = receiver;
  if (url !== undefined && secrets !== undefined) return { ...receiver, url, secrets };
  const parts = [
    ...(url === undefined ? (["URL"] as const) : []),
    ...(secrets === undefined ? (["SECRET"] as const) : []),
  ];
  throw new BadSettings(parts.map((part) => notSet(receiverVariable(name, part), RECEIVER_SETTINGS[part])));
};
