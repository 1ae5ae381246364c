import type { BoundGroup } from "../database/events.ts";
import type { DeliveryState } from "../database/ledger/states.ts";
import { EVENT_TYPES } from "./events/types.ts";
import { matchesPattern } from "./routing.ts";

/**
 * A consumer group, as the api must know it: it makes the group's streams before the first consumer is there, and writes a
 * delivery for the group with each event that it binds to. What the group does is its folder in `consumers/`.
 */
export interface Group {
  /** Lower-case words with dashes, at most 32 characters; also the name of its folder. */
  readonly name: string;
  /** Patterns of event types, as those of a topic exchange: `user.signed_up.v1`, `user.#`. */
  readonly types: readonly string[];
  /** Delay before its first attempt at an event, in ms; none if not given. */
  readonly delayMs?: number;
  /** What its people call two states of a delivery; elsewhere they are `active` and `done`. */
  readonly words?: { readonly active: "sending"; readonly done: "sent" };
}

export const WELCOME_EMAIL: Group = {
  name: "welcome-email",
  types: ["user.signed_up.v1"],
  words: { active: "sending", done: "sent" },
};

/** Every group. Its surroundings (manifests, triggers, registry) are made from this list: `bun run generate`. */
export const GROUPS: readonly Group[] = [
  WELCOME_EMAIL,
  // One line for each further group.
];

/** A state of a delivery in the words of some group. */
export type ShownState = DeliveryState | "sending" | "sent";

/** A state of a delivery in the words of its group. */
export const shownState = ({ words }: Group, state: DeliveryState): ShownState =>
  state === "active" ? (words?.active ?? state) : state === "done" ? (words?.done ?? state) : state;

/** The groups that bind to each of the types. */
export const boundGroups = (groups: readonly Group[], types: readonly string[] = EVENT_TYPES): readonly BoundGroup[] =>
  types.flatMap((type) =>
    groups
      .filter((group) => group.types.some((pattern) => matchesPattern(pattern, type)))
      .map((group) => ({ type, group_name: group.name, delay_ms: group.delayMs ?? null })),
  );

/** A group that no known event would ever reach. */
export class UnboundGroup extends Error {
  override readonly name = "UnboundGroup";
}

/**
 * Checks that each group binds to something.
 *
 * @throws {UnboundGroup} naming the patterns, and the types that there are
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
