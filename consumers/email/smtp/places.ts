import type { Places } from "../../engine/handler.ts";
import type { ConnectionLimit } from "./capacity.ts";
import type { Crowding } from "./crowding.ts";
import type { SmtpServer } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Starvation } from "./starvation.ts";

/** A pool has its only connection for so long at least before another group has it. */
const OWN_TURN_MS = 2_000;

/** The connections of a pool, as other groups see them that send to the same server. */
export const createPlaces = ({
  server,
  sessions,
  limit,
  crowding,
  starvation,
}: {
  readonly server: Pick<SmtpServer, "host" | "port">;
  readonly sessions: Pick<Sessions, "usable" | "idle" | "heldForMs" | "giveUp">;
  readonly limit: Pick<ConnectionLimit, "gaveUp">;
  readonly crowding: Pick<Crowding, "othersHave">;
  readonly starvation: Pick<Starvation, "isOn" | "answered" | "mayHaveRoom">;
}): Places & {
  /** The server has refused a connection as one too many. */
  readonly refused: () => void;
} => {
  let isRefused = false;
  return {
    at: `${server.host}:${server.port}`,
    has: sessions.usable,
    idle: sessions.idle,
    mayBeLeftWithout: () => sessions.heldForMs() >= OWN_TURN_MS,
    wasRefused: () => {
      const was = isRefused;
      isRefused = false;
      return was;
    },
    isWithout: () => starvation.isOn,
    answered: starvation.answered,
    othersHave: (count) => crowding.othersHave(count),
    othersChanged: starvation.mayHaveRoom,
    refused: () => {
      isRefused = true;
    },
    giveUp: (onLeft) =>
      sessions.giveUp(() => {
        limit.gaveUp(sessions.usable());
        onLeft();
      }),
  };
};
