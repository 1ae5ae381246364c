import type { Database } from "../../database/connection.ts";
import type { Logger } from "../../observability/logger.ts";
import { requireSettings, type SettingsOf, type SettingsWith } from "../../settings/load.ts";
import type { SettingName } from "../../settings/schema.ts";
import type { Group } from "../../stream/groups.ts";
import { type GroupDeps, type GroupOptions, type RunningGroup, startGroup } from "./group.ts";
import type { GroupDefinition, Policy } from "./handler.ts";

/** What a group is opened with. */
export interface GroupContext<Required extends SettingName> {
  readonly settings: SettingsWith<"consumer", Required>;
  readonly db: Database;
  readonly log: Logger;
}

/** A group that is open: it can be started, and closed when its consumer has ended. */
export interface OpenGroup {
  start(deps: GroupDeps, options: GroupOptions): RunningGroup;
  close(): Promise<void>;
}

/** How a group's consumer is made: what `consumers/<group>/group.ts` exports as `factory`. */
export interface GroupFactory {
  /** Settings without which the group cannot work; only consumers that start it need them. */
  readonly requires: readonly SettingName[];
  open(group: Group, context: GroupContext<never>): OpenGroup;
}

/** Defines a group: what it requires, what its events carry, and how it is opened. Opens nothing itself. */
export const defineGroup = <Data, Input, const Required extends SettingName>(group: {
  readonly requires: readonly Required[];
  readonly data: GroupDefinition<Data, Input>["data"];
  readonly open: (context: GroupContext<Required>) => Omit<GroupDefinition<Data, Input>, "group" | "data">;
}): GroupFactory => ({
  requires: group.requires,
  open: (named, { settings, ...context }) => {
    const definition = group.open({ ...context, settings: requireSettings(settings, group.requires) });
    return {
      start: (deps, options) => startGroup(deps, { ...definition, data: group.data, group: named }, options),
      close: async () => definition.close?.(),
    };
  },
});

/** The policy that the settings give to every group; a group changes what is its own. */
export const policyOf = (settings: SettingsOf<"consumer">): Policy => ({
  isIdempotent: false,
  oncePerSubject: false,
  concurrency: settings.CONSUMER_CONCURRENCY,
  retryMax: settings.RETRY_MAX,
  retryDelayMs: settings.RETRY_DELAY_MS,
  uncertain: "resend",
});
