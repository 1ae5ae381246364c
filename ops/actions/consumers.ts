import { type ConsumerStatus, readConsumers } from "../../stream/group-status.ts";
import type { Group } from "../../stream/groups.ts";
import { type Doing, doingOf } from "./doing.ts";
import type { Operator } from "./operator.ts";

/** A consumer of a group, and what it does. */
export interface ListedConsumer extends ConsumerStatus {
  readonly group: string;
  readonly doing: Doing;
}

export interface ConsumerList {
  readonly consumers: readonly ListedConsumer[];
  /** Groups that no consumer reads. */
  readonly unread: readonly string[];
}

/** The consumers of these groups, from their start on, in the order of the groups (XINFO CONSUMERS, signs of life, reports). */
export const listConsumers = async (
  { redis, keys }: Pick<Operator, "redis" | "keys">,
  groups: readonly Group[],
  now: Date,
): Promise<ConsumerList> => {
  const found = await Promise.all(
    groups.map(async ({ name }) => ({ group: name, consumers: await readConsumers(redis, keys, name) })),
  );
  return {
    consumers: found.flatMap(({ group, consumers }) =>
      consumers.map((consumer) => ({ group, ...consumer, doing: doingOf(consumer, now) })),
    ),
    unread: found.filter(({ consumers }) => consumers.length === 0).map(({ group }) => group),
  };
};
