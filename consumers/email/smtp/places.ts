import type { Places } from "../../engine/handler.ts";
import type { ConnectionLimit } from "./capacity.ts";
import type { Crowding } from "./crowding.ts";
import type { SmtpFailure } from "./failure.ts";
import { limitIn, mayBeOneTooMany } from "./limit-words.ts";
import type { SmtpServer } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { OneTooMany, Starvation } from "./starvation.ts";

/** A pool has its only connection for so long at least before another group has it. */
const OWN_TURN_MS = 2_000;
/** Where others had some so lately, the server is not away: one that is handed over is nobody's for a moment. */
const LATELY_MS = 3_000;
/** So soon after the first refusal it is heard what others have, if the table is read at all: they say it twice a second. */
const HEARD_MS = 700;

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
  readonly sessions: Pick<Sessions, "usable" | "idle" | "heldForMs" | "giveUp">;
  readonly limit: Pick<ConnectionLimit, "gaveUp">;
  readonly crowding: Pick<Crowding, "othersHave">;
  readonly starvation: Pick<Starvation, "isOn" | "answered" | "mayHaveRoom">;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Places & {
  /** The server has refused a connection, perhaps as one too many. */
  readonly refused: () => void;
  /** How a connection was refused as one too many, perhaps without a word: what works for other pools, of any group, is not away. */
  readonly refusalOf: (failure: SmtpFailure) => OneTooMany | undefined;
  /** Whether it will be heard in a moment if others have some: the first connection was refused just now. */
  readonly hearsSoon: () => boolean;
  /** The server has taken a mail. */
  readonly works: () => void;
} => {
  let isRefused = false;
  /** When others had some, at last. */
  let othersHadAt = Number.NEGATIVE_INFINITY;
  /** When somebody asked last what there is to say. */
  let readAt = Number.NEGATIVE_INFINITY;
  /** Since when each connection is refused. */
  let refusedSince: number | undefined;
  return {
    at: `${server.host}:${server.port}`,
    has: sessions.usable,
    idle: sessions.idle,
    mayBeLeftWithout: () => sessions.heldForMs() >= OWN_TURN_MS,
    wasRefused: () => {
      const was = isRefused;
      isRefused = false;
      readAt = now();
      return was;
    },
    isWithout: () => starvation.isOn,
    answered: starvation.answered,
    othersHave: (count) => {
      if (count > 0) othersHadAt = now();
      crowding.othersHave(count);
    },
    refusalOf: (failure) => {
      if (limitIn(failure) === "connections") return "said";
      // Who greets nobody may do so to those who still have idle ones.
      const mayBe = mayBeOneTooMany(failure) && failure.cause !== "GREETING_TIMEOUT";
      return mayBe && now() - othersHadAt < LATELY_MS ? "unsaid" : undefined;
    },
    othersChanged: starvation.mayHaveRoom,
    refused: () => {
      isRefused = true;
      refusedSince ??= now();
    },
    hearsSoon: () => now() - readAt < HEARD_MS && now() - (refusedSince ?? now()) < HEARD_MS,
    works: () => {
      refusedSince = undefined;
    },
    giveUp: (onLeft) =>
      sessions.giveUp(() => {
        limit.gaveUp(sessions.usable());
        onLeft();
      }),
  };
};
