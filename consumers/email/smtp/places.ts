import type { Places } from "../../engine/handler.ts";
import { INTERESTED_MS } from "../../engine/sharing.ts";
import type { ConnectionLimit } from "./capacity.ts";
import type { Crowding } from "./crowding.ts";
import type { SmtpFailure } from "./failure.ts";
import { limitIn } from "./limit-words.ts";
import type { SmtpServer } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Starvation } from "./starvation.ts";

/** A pool has its only connection for so long at least before another group has it. */
const OWN_TURN_MS = 2_000;
/** Where others had some so lately, the server is not away: one that is handed over is nobody's for a moment. */
const LATELY_MS = 3_000;
/** While nothing is heard, as while Redis is away, they have what they had. */
const UNHEARD_MS = 30_000;
/** What was given up, and nobody had, is forgotten after this time. */
const UNUSED_MS = 300_000;
/** So soon after the first refusal it is heard what others have, if the table is read at all: they say it twice a second. */
const HEARD_MS = 700;

/**
 * From the second time on that others gave one up for it in vain, in a row, it waits until it asks for the next one, twice as long each time: what they leave it may be
 * unable to open.
 */
const FIRST_WAIT_MS = 8_000;
const LONGEST_WAIT_MS = 60_000;
/**
 * Where nothing is said of a limit, and it had none of so many, it cannot reach the server, as far as is known, until it would ask for the next one: so its breaker
 * opens, and somebody is called.
 */
const MOST_IN_VAIN = 3;
const CLOSED_BY_TCP = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/** How a connection is refused as one too many: by the server's words, or without any, while others have some. */
export type OneTooMany = "said" | "unsaid";

/** It was closed, or refused by TCP, at once, or the server had no time. What is blocked, not found, not secured or not greeted has nothing to do with a limit. */
const mayBeUnsaid = ({ code, cause = "", responseCode }: SmtpFailure): boolean => {
  if (responseCode !== undefined) return responseCode === 421;
  return code === "ECONNECTION" || (code === "ESOCKET" && CLOSED_BY_TCP.has(cause));
};

/** The connections of a pool, as other groups see them that send to the same server. */
export const createPlaces = ({
  server,
  sessions,
  limit,
  crowding,
  starvation,
  now,
}: {
  readonly server: Pick<SmtpServer, "host" | "port">;
  readonly sessions: Pick<Sessions, "usable" | "idle" | "heldForMs" | "lastOpenedAt" | "giveUp">;
  readonly limit: Pick<ConnectionLimit, "gaveUp">;
  readonly crowding: Pick<Crowding, "othersHave">;
  readonly starvation: Pick<Starvation, "isOn" | "answered" | "mayHaveRoom">;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Places & {
  /** The server has refused a connection; `isOneTooMany`: others are asked to give one up. */
  readonly refused: (isOneTooMany: boolean) => void;
  /** How a connection was refused as one too many, perhaps without a word: what works for other pools, of any group, is not away. */
  readonly refusalOf: (failure: SmtpFailure) => OneTooMany | undefined;
  /** Whether it will be heard in a moment that this was one too many: it is the first that was refused for a while. */
  readonly hearsSoon: (failure: SmtpFailure) => boolean;
} => {
  let isRefused = false;
  /** What others have, as was heard last, and when they had some last. */
  let others = 0;
  let othersHadAt = Number.NEGATIVE_INFINITY;
  /** What others had when this pool gave one up last, and whether they have had more since. */
  let given = { at: Number.NEGATIVE_INFINITY, others: 0, isTaken: true };
  /** When somebody asked last what there is to say. */
  let readAt = Number.NEGATIVE_INFINITY;
  /** The first and the last refusal of those that came together. */
  let refused = { since: Number.NEGATIVE_INFINITY, at: Number.NEGATIVE_INFINITY };
  /** What others have given up for it since it had one. */
  let inVain = { count: 0, at: Number.NEGATIVE_INFINITY };

  const hasHadOneSince = (at: number): boolean => sessions.usable() > 0 || now() - sessions.heldForMs() > at;
  const countInVain = (): number => (hasHadOneSince(inVain.at) ? 0 : inVain.count);
  const mayRequest = (): boolean => {
    const count = countInVain();
    return count < 2 || now() - inVain.at >= Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (count - 2));
  };
  const cannotReach = (): boolean => countInVain() >= MOST_IN_VAIN && !mayRequest();
  const isUnsaid = (failure: SmtpFailure): boolean =>
    mayBeUnsaid(failure) && now() - othersHadAt < (others > 0 ? UNHEARD_MS : LATELY_MS) && !cannotReach();
  /** Where new ones cannot be opened, nobody would have any: the last one waits until what was given before is used. */
  const isOfUse = (): boolean => given.isTaken || sessions.lastOpenedAt() > given.at || now() - given.at >= UNUSED_MS;

  return {
    at: `${server.host}:${server.port}`,
    has: sessions.usable,
    idle: sessions.idle,
    mayBeLeftWithout: () => sessions.heldForMs() >= OWN_TURN_MS && isOfUse(),
    wasRefused: () => {
      const was = isRefused;
      isRefused = false;
      readAt = now();
      return was;
    },
    isWithout: () => starvation.isOn,
    answered: () => {
      inVain = { count: countInVain() + 1, at: now() };
      starvation.answered();
    },
    othersHave: (count) => {
      others = count;
      if (count > 0) othersHadAt = now();
      if (count > given.others) given = { ...given, isTaken: true };
      crowding.othersHave(count);
    },
    refusalOf: (failure) => {
      if (limitIn(failure) === "connections") return "said";
      return isUnsaid(failure) ? "unsaid" : undefined;
    },
    othersChanged: starvation.mayHaveRoom,
    refusedAt: () => refused.at,
    refused: (isOneTooMany) => {
      isRefused ||= isOneTooMany && mayRequest();
      const at = now();
      // What others have is not heard any more then: it is a first one again.
      refused = { since: at - refused.at > INTERESTED_MS ? at : refused.since, at };
    },
    hearsSoon: (failure) => mayBeUnsaid(failure) && now() - readAt < HEARD_MS && now() - refused.since < HEARD_MS,
    giveUp: (onLeft) =>
      sessions.giveUp(() => {
        given = { at: now(), others, isTaken: false };
        limit.gaveUp(sessions.usable());
        onLeft();
      }),
  };
};
