import type { Database } from "../../database/connection.ts";
import { readConfirmation } from "../../database/users/confirmation-token.ts";
import { type Disown, isDisowned } from "../../database/users/disown.ts";
import { disownKeyOf } from "../../database/users/disown-key.ts";

/** What a link for somebody who did not sign up can do, or did. */
export type DisownState =
  /** Its reader has to press the button. */
  | "open"
  /** By this very request. */
  | "disowned"
  | "disowned_before"
  /** Too old, or its account is gone. */
  | "expired"
  | "invalid";

export interface DisownAccount {
  /** Looks, and changes nothing: programs that scan mail follow links, too. */
  look(token: string): Promise<DisownState>;
  /** Marks the account, and has no more mail sent to its address. */
  disown(token: string): Promise<DisownState>;
}

export interface DisownAccountDeps {
  readonly db: Database;
  readonly disown: Disown;
  /** The key of the links to confirm an address. */
  readonly key: () => Promise<Buffer>;
  /** ms since 1970; the clock of the consumers that signed the link is another one, and links are valid for days. */
  readonly wallClockMs: () => number;
}

/** @throws the driver's error if the database is unavailable */
export const createDisownAccount = ({ db, disown, key, wallClockMs }: DisownAccountDeps): DisownAccount => {
  const read = async (token: string) => readConfirmation(disownKeyOf(await key()), token, wallClockMs());
  return {
    async look(token) {
      const link = await read(token);
      if (link.kind === "invalid") return "invalid";
      const before = await isDisowned(db, link.userId);
      if (before === true) return "disowned_before";
      return link.kind === "expired" || before === undefined ? "expired" : "open";
    },
    async disown(token) {
      const link = await read(token);
      if (link.kind === "invalid") return "invalid";
      if (link.kind === "expired") return (await isDisowned(db, link.userId)) === true ? "disowned_before" : "expired";
      const result = await disown(db, link.userId);
      return result === "no_such_user" ? "expired" : result;
    },
  };
};
