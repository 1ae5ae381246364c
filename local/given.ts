import { loadSettings, type SettingsOf } from "../settings/load.ts";
import type { SettingName } from "../settings/schema.ts";

/** What the person set in the environment. It comes before anything that is chosen here. */
export interface Given {
  /** Without what is empty: that counts as unset, and must not hide a value of ours. */
  readonly environment: Readonly<Record<string, string>>;
  /** Checked, with the defaults of what is not set. `DATABASE_URL` means something only if it was given. */
  readonly settings: SettingsOf<"migrate">;
  /** Whether it is set, directly or by `NAME_FILE`. */
  has(name: SettingName): boolean;
}

/**
 * Reads the environment before anything is started: what each part would refuse is refused here, once.
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
