import { discardDeliveries } from "../../../database/ledger/discard.ts";
import type { DeliveryFacts } from "../../../database/ledger/facts.ts";
import { hastenDeliveries } from "../../../database/ledger/hasten.ts";
import { holdDeliveries } from "../../../database/ledger/hold.ts";
import { type RequeuedDelivery, requeueDeliveries } from "../../../database/ledger/requeue.ts";
import type { DeliveryState } from "../../../database/ledger/states.ts";
import { enqueueLogged } from "../../../stream/enqueue.ts";
import type { Group } from "../../../stream/groups.ts";
import { publishStates } from "../../../stream/publish.ts";
import { dropLetters } from "../../../stream/scripts/drop-letters.ts";
import { redriveLetters } from "../../../stream/scripts/redrive.ts";
import type { Operator } from "../operator.ts";
import type { DeliveryAction } from "./decide.ts";

/*
 * The order of writes is that of a redrive (`../redrive.ts`) for each: the ledger first, then Redis. If the process dies in between,
 * what is `queued` without an entry is published by the reconciler, a letter whose delivery is not dead any more is only deleted by the
 * next `dead retry`, and what is held or discarded is acked by whoever reads its entry.
 */

type Stores = Pick<Operator, "db" | "redis" | "keys" | "at">;

const letterKeys = ({ keys }: Stores, group: Group) => ({
  dead: keys.dead(group.name),
  deadIndex: keys.deadIndex(group.name),
});

const idsOf = (rows: readonly { readonly event_id: string }[]): readonly string[] => rows.map((row) => row.event_id);

/** Publishes what was dead: by its letter, or by the ledger where Redis has lost that, or its entry. */
const publishDead = async (stores: Stores, group: Group, rows: readonly RequeuedDelivery[]): Promise<void> => {
  const { redis, keys } = stores;
  const retriesStream = keys.retriesStream(group.name);
  const results = await redriveLetters(redis, { ...letterKeys(stores, group), retriesStream }, idsOf(rows));
  await enqueueLogged(
    redis,
    retriesStream,
    rows.filter((_, index) => results[index] !== "moved"),
  );
  const unreadable = rows.filter((_, index) => results[index] === "unreadable");
  await dropLetters(redis, letterKeys(stores, group), idsOf(unreadable));
};

const requeue = async (
  stores: Stores,
  group: Group,
  eventIds: readonly string[],
  from: "dead" | "suppressed" | "held",
): Promise<readonly string[]> => {
  const { db, redis, keys, at } = stores;
  const reason = from === "held" ? "released" : "redriven";
  const rows = await requeueDeliveries(db, eventIds, { group: group.name, from, reason });
  const requeued = rows.filter((row) => row.requeued);
  await at("requeued");
  if (from === "dead") await publishDead(stores, group, requeued);
  else await enqueueLogged(redis, keys.retriesStream(group.name), requeued);
  return idsOf(requeued);
};

const hasten = async (stores: Stores, group: Group, eventIds: readonly string[]): Promise<readonly string[]> => {
  const { db, redis, keys, at } = stores;
  const hastened = await hastenDeliveries(db, eventIds, group.name);
  await at("requeued");
  await enqueueLogged(redis, keys.retriesStream(group.name), hastened);
  return idsOf(hastened);
};

const discard = async (
  stores: Stores,
  group: Group,
  eventIds: readonly string[],
  from: "dead" | "held" | "waiting",
): Promise<readonly string[]> => {
  const discarded = await discardDeliveries(stores.db, eventIds, { group: group.name, from });
  await stores.at("dropped");
  if (from === "dead") await dropLetters(stores.redis, letterKeys(stores, group), discarded);
  return discarded;
};

/** The state that live pages are told; undefined: it is as it was. */
const SHOWN: Readonly<Record<DeliveryAction, DeliveryState | undefined>> = {
  retry: "queued",
  "retry-now": undefined,
  hold: "held",
  release: "queued",
  discard: "dead",
};

const inState = (facts: readonly DeliveryFacts[], ...states: readonly DeliveryState[]): readonly string[] =>
  idsOf(facts.filter(({ state }) => states.includes(state)));

/**
 * Does what was decided of deliveries of a group, those that are still in the state they were in. Returns the ids of those that it
 * changed.
 */
export const apply = async (
  stores: Stores,
  action: DeliveryAction,
  group: Group,
  facts: readonly DeliveryFacts[],
): Promise<ReadonlySet<string>> => {
  const changed = await changeOf(stores, action, group, facts);
  const shown = SHOWN[action];
  if (shown !== undefined) publishStates(stores.redis, stores.keys.status, changed, shown);
  return new Set(changed);
};

const changeOf = async (
  stores: Stores,
  action: DeliveryAction,
  group: Group,
  facts: readonly DeliveryFacts[],
): Promise<readonly string[]> => {
  switch (action) {
    case "retry":
      return [
        ...(await requeue(stores, group, inState(facts, "dead"), "dead")),
        ...(await requeue(stores, group, inState(facts, "suppressed"), "suppressed")),
      ];
    case "retry-now":
      return hasten(stores, group, idsOf(facts));
    case "hold":
      return holdDeliveries(stores.db, idsOf(facts), group.name);
    case "release":
      return requeue(stores, group, idsOf(facts), "held");
    case "discard":
      return [
        ...(await discard(stores, group, inState(facts, "dead"), "dead")),
        ...(await discard(stores, group, inState(facts, "held"), "held")),
        ...(await discard(stores, group, inState(facts, "queued", "retrying", "uncertain"), "waiting")),
      ];
  }
};
