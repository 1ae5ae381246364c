import type { Database } from "../../database/connection.ts";
import type { LoggedEvent } from "../../database/events.ts";
import { type Confirm, isVerified } from "../../database/users/confirm.ts";
import { readConfirmation } from "../../database/users/confirmation-token.ts";
import type { TraceContext } from "../../observability/trace-context.ts";
import { userEmailVerified } from "../../stream/events/user-email-verified.ts";

/** What a link to confirm an address can do, or did. */
export type LinkState =
  /** Its owner has to press the button. */
  | "open"
  /** Confirmed by this very request. */
  | "confirmed"
  | "confirmed_before"
  /** Too old, used, or its account is gone, or disowned by the owner of the address. */
  | "expired"
  | "invalid";

export interface ConfirmAddress {
  /** Looks, and changes nothing: programs that scan mail follow links, too. */
  look(token: string): Promise<LinkState>;
  /** Confirms the address, once. */
  confirm(token: string, trace: TraceContext): Promise<LinkState>;
}

export interface ConfirmAddressDeps {
  readonly db: Database;
  readonly confirm: Confirm;
  readonly key: () => Promise<Buffer>;
  /** Sends a committed event to Redis, without waiting for it. Never rejects. */
  readonly afterCommit: (event: LoggedEvent) => Promise<void>;
  /** UUIDv7 */
  readonly newId: () => string;
  /** ms since 1970; the clock of the consumers that signed the link is another one, and links are valid for days. */
  readonly wallClockMs: () => number;
}

/** @throws the driver's error if the database is unavailable */
export const createConfirmAddress = (deps: ConfirmAddressDeps): ConfirmAddress => {
  const { db, confirm, key, afterCommit, newId, wallClockMs } = deps;
  const read = async (token: string) => readConfirmation(await key(), token, wallClockMs());

  return {
    async look(token) {
      const link = await read(token);
      if (link.kind === "invalid") return "invalid";
      const verified = await isVerified(db, link.userId);
      if (verified === true) return "confirmed_before";
      return link.kind === "expired" || verified === undefined ? "expired" : "open";
    },
    async confirm(token, trace) {
      const link = await read(token);
      if (link.kind === "invalid") return "invalid";
      if (link.kind === "expired") return (await isVerified(db, link.userId)) === true ? "confirmed_before" : "expired";
      const { userId, hash } = link;
      const event = { eventId: newId(), ...userEmailVerified(userId), ...trace };
      const result = await confirm(db, { userId, tokenHash: hash, event });
      switch (result.kind) {
        case "confirmed":
          await afterCommit(result.event);
          return "confirmed";
        case "confirmed_before":
          return "confirmed_before";
        case "used":
        case "disowned":
        case "no_such_user":
          return "expired";
      }
    },
  };
};
