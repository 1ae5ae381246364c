import { loadSettings, type SettingsOf } from "../settings/load.ts";
import type { SettingName } from "../settings/schema.ts";

/** What the person set in the environment. It takes precedence over every default of the local system. */
export interface Given {
  /** Without empty variables: they count as unset and must not override a default. */
  readonly environment: Readonly<Record<string, string>>;
  /** Checked, with defaults. `DATABASE_URL` is meaningful only if it was given. */
  readonly settings: SettingsOf<"migrate">;
  /** Whether it is set, directly or by `NAME_FILE`. */
  has(name: SettingName): boolean;
}

/**
 * Reads the environment before anything is started, so that a setting that a part would refuse is reported once, here.
 *
 * @throws {BadSettings}
 */
export const readGiven = (variables: Readonly<Record<string, string | undefined>>): Given => {
  const environment = Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
  const has = (name: SettingName) => name in environment || `${name}_FILE` in environment;
  const missing = has("DATABASE_URL") ? {} : { DATABASE_URL: "postgres://127.0.0.1/started-here" };
  return { environment, has, settings: loadSettings("migrate", { ...environment, ...missing }) };
};
