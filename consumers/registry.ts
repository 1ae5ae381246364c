import type { SettingsOf } from "../settings/load.ts";
import { type Group, WELCOME_EMAIL } from "../stream/groups.ts";
import type { Handler } from "./engine/dispatcher.ts";
import { welcomeEmail } from "./welcome-email/handler.ts";

/** A group's handler, and what has to be closed when its consumer ends. */
export interface Binding {
  readonly group: Group;
  readonly handler: Handler;
  close(): Promise<void>;
}

/** Adding a group is a folder with a handler, its name in `stream/groups.ts`, and one line here. */
const BINDINGS: readonly {
  readonly group: Group;
  readonly bind: (settings: SettingsOf<"consumer">) => Omit<Binding, "group">;
}[] = [{ group: WELCOME_EMAIL, bind: welcomeEmail }];

/** An unknown name in `--group`. */
export class UnknownGroup extends Error {
  override readonly name = "UnknownGroup";
}

/**
 * The bindings of the named groups, or of all if none is named.
 *
 * @throws {UnknownGroup} naming what is there
 */
export const bindGroups = (names: readonly string[], settings: SettingsOf<"consumer">): Binding[] => {
  const known = BINDINGS.map(({ group }) => group.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UnknownGroup(`no group is named ${unknown.join(", ")}; expected one of: ${known.join(", ")}`);
  }
  return BINDINGS.filter(({ group }) => names.length === 0 || names.includes(group.name)).map(({ group, bind }) => ({
    group,
    ...bind(settings),
  }));
};
