import type { Database } from "../../database/connection.ts";
import type { Logger } from "../../observability/logger.ts";
import { type RequiredSetting, requireSettings, type SettingsOf, type SettingsWith } from "../../settings/load.ts";
import type { SettingName } from "../../settings/schema.ts";
import type { Group } from "../../stream/groups.ts";
import { UNCERTAIN_MAX } from "./decide.ts";
import { type GroupDeps, type GroupOptions, type RunningGroup, startGroup } from "./group.ts";
import type { GroupDefinition, Policy } from "./handler.ts";

/** What a group needs to open. */
export interface GroupContext<Required extends SettingName> {
  readonly settings: SettingsWith<"consumer", Required>;
  readonly db: Database;
  readonly log: Logger;
}

/** An open group: it can be started, and closed after its consumer has ended. */
export interface OpenGroup {
  start(deps: GroupDeps, options: GroupOptions): RunningGroup;
  close(): Promise<void>;
}

/** Opens a group: `consumers/<group>/group.ts` exports it as `factory`. */
export interface GroupFactory {
  /** Settings that the group requires; only consumers that start it must have them. */
  readonly requires: readonly RequiredSetting[];
  open(group: Group, context: GroupContext<never>): OpenGroup;
}

/** Defines a group: the settings that it requires, the schema of its data, and how it is opened. Opens nothing itself. */
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

/** Over days, with the default delays. */
export const DEFAULT_RETRY_MAX = 24;

/** The default policy, from the settings; a group overrides what differs. */
export const policyOf = (settings: SettingsOf<"consumer">): Policy => ({
  isIdempotent: false,
  oncePerSubject: false,
  concurrency: settings.CONSUMER_CONCURRENCY,
  retryMax: settings.RETRY_MAX ?? DEFAULT_RETRY_MAX,
  uncertainMax: settings.RETRY_MAX ?? UNCERTAIN_MAX,
  retryDelayMs: settings.RETRY_DELAY_MS,
  uncertain: "resend",
});
