import type { BoundGroup } from "../database/events.ts";
import type { DeliveryState } from "../database/ledger/states.ts";
import { BadSettings, type Settings } from "../settings/load.ts";
import { type Receiver, receiverVariable } from "../settings/webhooks.ts";
import { EVENT_TYPES } from "./events/types.ts";
import { matchesPattern } from "./routing.ts";

/**
 * A consumer group, as far as the api needs it: the api creates the group's streams before the first consumer starts, and
 * writes a delivery for the group with each event that it binds to. The group's work is in its folder in `consumers/`.
 */
export interface Group {
  /** Lower-case words with dashes, at most 32 characters; also the name of its folder. */
  readonly name: string;
  /** Patterns of event types, as those of a topic exchange: `user.signed_up.v1`, `user.#`. */
  readonly types: readonly string[];
  /** Delay before its first attempt at a new event, in ms; none if not given. A replayed event has none. */
  readonly delayMs?: number;
  /** The setting that says how long the delay is; see `groupsOf`. */
  readonly delaySetting?: "REMINDER_DELAY_MS";
  /** It sends mail to the subject of the event, and none to an address that is suppressed. */
  readonly sendsMail?: true;
  /** Types of events whose mail only asks to confirm the address: it is cancelled once that is done. */
  readonly asksToConfirm?: readonly string[];
  /** The names that users see for the states `active` and `done`. */
  readonly words?:
    | { readonly active: "sending"; readonly done: "sent" }
    | { readonly active: "processing"; readonly done: "completed" };
}

export const WELCOME_EMAIL: Group = {
  name: "welcome-email",
  types: ["user.signed_up.v1", "user.confirmation_requested.v1"],
  sendsMail: true,
  asksToConfirm: ["user.confirmation_requested.v1"],
  words: { active: "sending", done: "sent" },
};

export const REMINDER_EMAIL: Group = {
  name: "reminder-email",
  types: ["user.signed_up.v1"],
  delayMs: 24 * 3_600_000,
  delaySetting: "REMINDER_DELAY_MS",
  sendsMail: true,
  asksToConfirm: ["user.signed_up.v1"],
  words: { active: "sending", done: "sent" },
};

export const NOTICE_EMAIL: Group = {
  name: "notice-email",
  types: ["user.signup_repeated.v1"],
  sendsMail: true,
  words: { active: "sending", done: "sent" },
};

export const PAYMENTS: Group = {
  name: "payments",
  types: ["payment.requested.v1"],
  words: { active: "processing", done: "completed" },
};

/** Every group of this code. Manifests, triggers and the registry are generated from this list: `bun run generate`. */
export const GROUPS: readonly Group[] = [
  WELCOME_EMAIL,
  REMINDER_EMAIL,
  NOTICE_EMAIL,
  PAYMENTS,
  // One line for each further group.
];

/** The group of a receiver of webhooks. */
const groupOfReceiver = ({ name, events }: Receiver): Group => ({
  name: webhookGroupName(name),
  types: events,
  words: { active: "sending", done: "sent" },
});

/** The name of a receiver's group. */
export const webhookGroupName = (receiver: string): string => `webhook-${receiver}`;

/** What the groups depend on. */
export interface GroupConfiguration extends Partial<Pick<Settings, "REMINDER_DELAY_MS">> {
  readonly receivers: readonly Receiver[];
}

/** A group with the delay that its setting says. */
const withDelay = (group: Group, configuration: GroupConfiguration): Group => {
  const delayMs = group.delaySetting === undefined ? undefined : configuration[group.delaySetting];
  return delayMs === undefined ? group : { ...group, delayMs };
};

/**
 * Every group of a configuration: those of this code, and one for each receiver of webhooks. Api, consumers and ops take
 * the groups from here, so that all of them have the same.
 *
 * @throws {BadSettings} naming each receiver whose patterns match no event type
 */
export const groupsOf = (configuration: GroupConfiguration, ofCode: readonly Group[] = GROUPS): readonly Group[] => {
  const { receivers } = configuration;
  const faults = receivers
    .filter(({ events }) => !EVENT_TYPES.some((type) => events.some((pattern) => matchesPattern(pattern, type))))
    .map(({ name, events }) => {
      const types = EVENT_TYPES.join(", ");
      return `${receiverVariable(name, "EVENTS")}: ${events.join(",")} matches no event type; expected some of: ${types}`;
    });
  if (faults.length > 0) throw new BadSettings(faults);
  return [...ofCode.map((group) => withDelay(group, configuration)), ...receivers.map(groupOfReceiver)];
};

/** The budget that limits a group's rate, by its name: its own, or the one that all groups share that send mail. */
export const budgetOf = ({ name, sendsMail }: Pick<Group, "name" | "sendsMail">): string =>
  sendsMail === true ? "mail" : name;

/** Whether the mail of an event of this type only asks to confirm the address. */
export const asksToConfirm = (group: Group, type: string): boolean => group.asksToConfirm?.includes(type) === true;

/** A state of a delivery, as any group shows it. */
export type ShownState = DeliveryState | "sending" | "sent" | "processing" | "completed";

/** A state of a delivery, as its group shows it. */
export const shownState = ({ words }: Group, state: DeliveryState): ShownState =>
  state === "active" ? (words?.active ?? state) : state === "done" ? (words?.done ?? state) : state;

/** The groups that bind to each of the types. */
export const boundGroups = (groups: readonly Group[], types: readonly string[] = EVENT_TYPES): readonly BoundGroup[] =>
  types.flatMap((type) =>
    groups
      .filter((group) => group.types.some((pattern) => matchesPattern(pattern, type)))
      .map((group) => ({ type, group_name: group.name, delay_ms: group.delayMs ?? null })),
  );

/** A group that binds to no known event type. */
export class UnboundGroup extends Error {
  override readonly name = "UnboundGroup";
}

/**
 * Checks that each group binds to at least one known type.
 *
 * @throws {UnboundGroup} naming the patterns and the known types
 */
export const requireBindings = (groups: readonly Group[], types: readonly string[] = EVENT_TYPES): void => {
  const reached = new Set(boundGroups(groups, types).map((bound) => bound.group_name));
  const faults = groups
    .filter((group) => !reached.has(group.name))
    .map(
      (group) => `the group ${group.name} binds to nothing: none of its patterns (${group.types.join(", ")}) matches`,
    );
  if (faults.length > 0) throw new UnboundGroup(`${faults.join("\n")}\nknown event types: ${types.join(", ")}`);
};
