import type { Erasure } from "../../database/users/erase.ts";
import { counted } from "../../runtime/quantity.ts";
import { command } from "../command.ts";
import { ACT_FLAGS, type ActFlags, text } from "../flags.ts";

const erasureText = (erasure: Erasure): string =>
  [
    `user ${erasure.userId}: ${erasure.userDeleted ? "deleted" : "was deleted before"}`,
    `  ${counted(erasure.cancelled.length, "unfinished delivery", "unfinished deliveries")} cancelled`,
    `  ${counted(erasure.idempotencyKeysDeleted, "idempotency key")} deleted`,
    `  ${counted(erasure.suppressionsDeleted, "suppressed address", "suppressed addresses")} deleted`,
    `  ${counted(erasure.confirmationRequestsDeleted, "limit")} on confirmation mails deleted`,
    `  ${counted(erasure.deliveriesKept, "delivery", "deliveries")} kept in the ledger, without the other side's words`,
  ].join("\n");

export const eraseCommand = command<ActFlags, [wanted: string]>({
  brief: "Erase a user, and cancel their unfinished deliveries",
  about: [
    "Deletes the user, their idempotency keys, and what is kept of their address (suppression, limit on confirmation mails), in one",
    "statement. The ledger keeps its rows: ids, states and times, nothing personal. This cannot be undone.",
  ].join("\n"),
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ parse: text, placeholder: "user id | address | user name", brief: "The user; case is ignored" }],
    },
    flags: ACT_FLAGS,
  },
  examples: [["erase mai@example.org", "at the person's request"]],
  needs: ["database"],
  async run(context, _flags, wanted) {
    const { erase } = await import("../actions/erase.ts");
    const erasures = [await erase(context, wanted)];
    return { json: { erasures }, text: () => erasures.map(erasureText).join("\n") };
  },
});
