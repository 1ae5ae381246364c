import { type Erasure, eraseUser, findUserIds } from "../../database/erase-user.ts";
import type { Command } from "../command.ts";
import { NotFound } from "../operator.ts";
import { counted } from "../terminal/quantity.ts";

const erasureText = (erasure: Erasure): string =>
  [
    `user ${erasure.userId}: ${erasure.userDeleted ? "deleted" : "was deleted before"}`,
    `  ${counted(erasure.cancelled.length, "unsent mail")} cancelled`,
    `  ${counted(erasure.idempotencyKeysDeleted, "idempotency key")} deleted`,
    `  ${counted(erasure.suppressionsDeleted, "suppressed address", "suppressed addresses")} deleted`,
    `  ${counted(erasure.ledgerRowsKept, "ledger row")} kept, without the mail server's reply`,
  ].join("\n");

export const erase: Command = {
  name: "erase",
  summary: "Erase a user; mail that is unsent is cancelled",
  usage: "<user id | address | user name>",
  about: [
    "Deletes the user, the keys of their requests and their address on the list of suppressed ones, in one statement. The",
    "ledger keeps its row: ids, states and times, nothing personal. It cannot be undone.",
  ].join("\n"),
  options: {},
  words: [1, 1],
  examples: [["erase mai@example.org", "as the person asked for"]],
  needs: ["database"],
  async run({ db, args }) {
    const userIds = await findUserIds(db, args.positionals[0] ?? "");
    if (userIds.length === 0) throw new NotFound("there is no such user");
    if (userIds.length > 1) {
      throw new NotFound(`several users go by that: ${userIds.join(", ")}; name one by its id`);
    }
    const erasures = await Promise.all(userIds.map((userId) => eraseUser(db, userId)));
    return { json: { erasures }, text: () => erasures.map(erasureText).join("\n") };
  },
};
