import { pause } from "../../../runtime/loop.ts";
import type { Places } from "../../engine/handler.ts";
import { INTERESTED_MS } from "../../engine/sharing.ts";
import type { ConnectionLimit } from "./capacity.ts";
import type { Crowding } from "./crowding.ts";
import type { SmtpFailure } from "./failure.ts";
import { mayBeUnsaid, type OneTooMany, refusalOf } from "./refusals.ts";
import { createRequests } from "./requests.ts";
import type { SmtpServer } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Starvation } from "./starvation.ts";

/** A pool has its only connection for so long at least before another group has it. */
const OWN_TURN_MS = 2_000;
/** What was given up, and nobody had, is forgotten after this time. */
const UNUSED_MS = 300_000;
/** So soon after the first refusal it is heard what others have, if the table is read at all: they say it twice a second. */
const HEARD_MS = 700;

/** The connections of a pool, as other groups see them that send to the same server. */
export const createPlaces = ({
  server,
  sessions,
  limit,
  crowding,
  starvation,
  has,
  look,
  now,
}: {
  readonly server: Pick<SmtpServer, "host" | "port">;
  readonly sessions: Pick<Sessions, "usable" | "idle" | "heldForMs" | "lastOpenedAt" | "giveUp">;
  readonly limit: Pick<ConnectionLimit, "gaveUp" | "answered">;
  readonly crowding: Pick<Crowding, "othersHave">;
  readonly starvation: Pick<Starvation, "isOn" | "answered" | "mayHaveRoom" | "works">;
  /** Connections that work, as far as is known. */
  readonly has: () => number;
  /** Another connection may be asked for. */
  readonly look: () => void;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Places & {
  /** The server has refused a connection; `isOneTooMany`: others are asked to give one up. */
  readonly refused: (isOneTooMany: boolean) => void;
  /** Others have all that the server grants, as far as is known: it works, and would for this pool. */
  readonly isFull: () => boolean;
  /** Connections of others, as was heard last. */
  readonly others: () => number;
  /** The same; it is listened for from now on, as after a refusal. */
  readonly ask: () => number;
  /** Resolves when it is known what others have, soon after the first refusal. */
  readonly heard: () => Promise<void>;
  /** The server grants what the pool has now. */
  readonly works: () => void;
  /** How a connection was refused as one too many, perhaps without a word; undefined: the server is away. */
  readonly refusalOf: (failure: SmtpFailure) => OneTooMany | undefined;
  /** Whether it will be heard in a moment that this was one too many: it is the first that was refused for a while. */
  readonly hearsSoon: (failure: SmtpFailure) => boolean;
} => {
  const requests = createRequests({ now });
  let wantsOne = false;
  /** What others have, as was heard last, and when they had some last. */
  let others = 0;
  let othersHadAt = Number.NEGATIVE_INFINITY;
  /** What others had when this pool gave one up last, and whether they have had more since. */
  let given = { at: Number.NEGATIVE_INFINITY, others: 0, isTaken: true };
  /** When somebody asked last what there is to say. */
  let readAt = Number.NEGATIVE_INFINITY;
  /** The first and the last refusal of those that came together. */
  let refused = { since: Number.NEGATIVE_INFINITY, at: Number.NEGATIVE_INFINITY };

  /** Where new ones cannot be opened, nobody would have any: the last one waits until what was given before is used. */
  const isOfUse = (): boolean => given.isTaken || sessions.lastOpenedAt() > given.at || now() - given.at >= UNUSED_MS;

  const hear = (): void => {
    const at = now();
    // What others have is not heard any more then: it is a first one again.
    refused = { since: at - refused.at > INTERESTED_MS ? at : refused.since, at };
  };

  const isHeardSoon = (): boolean => now() - readAt < HEARD_MS && now() - refused.since < HEARD_MS;

  return {
    at: `${server.host}:${server.port}`,
    has,
    idle: sessions.idle,
    mayBeLeftWithout: () => sessions.heldForMs() >= OWN_TURN_MS && isOfUse(),
    wasRefused: () => {
      readAt = now();
      const asks = wantsOne && requests.mayAsk();
      // Who has some is refused again, if it still wants one.
      if (asks || !starvation.isOn) wantsOne = false;
      return asks;
    },
    isWithout: () => starvation.isOn,
    answered: () => {
      requests.answered(sessions.usable());
      if (starvation.isOn) return starvation.answered();
      limit.answered();
      look();
    },
    othersHave: (count) => {
      others = count;
      if (count > 0) othersHadAt = now();
      if (count > given.others) given = { ...given, isTaken: true };
      crowding.othersHave(count);
    },
    refusalOf: (failure) =>
      refusalOf(failure, {
        othersHave: others,
        othersHadMsAgo: now() - othersHadAt,
        cannotReach: requests.cannotReach(),
      }),
    isFull: () => starvation.isOn && !requests.isInVain(),
    othersChanged: starvation.mayHaveRoom,
    refusedAt: () => refused.at,
    refused: (isOneTooMany) => {
      wantsOne ||= isOneTooMany;
      hear();
    },
    others: () => others,
    ask: () => {
      hear();
      return others;
    },
    heard: async () => {
      if (isHeardSoon() && others === 0) await pause(HEARD_MS);
    },
    works: () => {
      starvation.works();
      wantsOne = false;
      requests.has(sessions.usable());
    },
    hearsSoon: (failure) => mayBeUnsaid(failure) && isHeardSoon(),
    giveUp: (onLeft) =>
      sessions.giveUp(() => {
        // The server may count one that was closed for longer than this pool left it to others.
        limit.gaveUp(sessions.usable(), given.isTaken);
        given = { at: now(), others, isTaken: false };
        onLeft();
      }),
  };
};
