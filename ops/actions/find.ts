import type { DeliveryState } from "../../database/ledger/states.ts";
import type { TimelineStep } from "../../database/ledger/timeline.ts";
import { type FoundDelivery, type FoundUser, findUsers } from "../../database/users/find.ts";
import { untilReady } from "../../stream/connection.ts";
import { indexedLetter } from "../../stream/dead-letters.ts";
import { shownState } from "../../stream/groups.ts";
import { masked, maskedAddress } from "./mask.ts";
import type { Operator } from "./operator.ts";

const LIMIT = 20;
const REDIS_WITHIN_MS = 1_000;

/** A delivery with its state in the words of its group, and its dead letter. */
export interface DeliveryDetails extends FoundDelivery {
  readonly shown: string;
  /** Oldest first, in the same words. */
  readonly timeline: readonly (TimelineStep & { readonly shown: string })[];
  /** Id of its dead letter; null if there is none, or if Redis is away. */
  readonly deadLetter: string | null;
}

/** A signup with everything that an operator asks about it. */
export interface SignupDetails extends FoundUser {
  readonly deliveries: readonly DeliveryDetails[];
}

type Asked = Pick<Operator, "redis" | "keys" | "groups">;

/** Only Redis knows where the letter is. When Redis is away, the ledger alone answers. */
const detailsOf = async ({ redis, keys, groups }: Asked, delivery: FoundDelivery): Promise<DeliveryDetails> => {
  const isThere = delivery.state === "dead" && (await untilReady(redis, REDIS_WITHIN_MS));
  const letter = isThere
    ? await indexedLetter(redis, keys, delivery.group, delivery.eventId).catch(() => undefined)
    : undefined;
  const group = groups.find(({ name }) => name === delivery.group);
  const wordOf = (state: DeliveryState) => (group === undefined ? state : shownState(group, state));
  const timeline = delivery.timeline.map(({ claim: _, ...step }) => ({ ...step, shown: wordOf(step.state) }));
  return { ...delivery, shown: wordOf(delivery.state), timeline, deadLetter: letter ?? null };
};

const withoutPersonal = (user: FoundUser): FoundUser => ({
  ...user,
  userName: user.userName === null ? null : masked(user.userName),
  email: user.email === null ? null : maskedAddress(user.email),
});

/**
 * Finds signups by event id, user id, trace id, address or user name, with their deliveries in every group: at most 20 deliveries, the
 * latest first. Masked unless asked otherwise.
 */
export const find = async (
  operator: Asked & Pick<Operator, "db">,
  wanted: string,
  { showAddress = false }: { readonly showAddress?: boolean | undefined } = {},
): Promise<readonly SignupDetails[]> =>
  Promise.all(
    (await findUsers(operator.db, wanted, LIMIT)).map(async (user) => ({
      ...(showAddress ? user : withoutPersonal(user)),
      deliveries: await Promise.all(user.deliveries.map((delivery) => detailsOf(operator, delivery))),
    })),
  );
