import { relative } from "../../runtime/quantity.ts";
import { maskedAddress } from "../actions/mask.ts";
import { command } from "../command.ts";
import { JSON_FLAG, type JsonFlags, limitFlag, SHOW_ADDRESS_FLAG, text } from "../flags.ts";
import { type Cell, table } from "../terminal/table.ts";

interface ListFlags extends JsonFlags {
  readonly limit: number;
  readonly showAddress?: boolean;
}

export const suppressionsList = command<ListFlags>({
  brief: "List suppressed addresses, to which nothing is sent, the latest first",
  parameters: { flags: { limit: limitFlag("addresses", 10_000), showAddress: SHOW_ADDRESS_FLAG, json: JSON_FLAG } },
  examples: [["suppressions list --show-address", "which addresses a mail server refused for good"]],
  needs: ["database"],
  async run({ db, now }, { limit, showAddress }) {
    const { listSuppressions } = await import("../../database/users/suppressions.ts");
    const suppressions = (await listSuppressions(db, limit)).map(({ addressKey, ...rest }) => ({
      address: showAddress === true ? addressKey : maskedAddress(addressKey),
      ...rest,
    }));
    return {
      json: { suppressions },
      text: (style) =>
        suppressions.length === 0
          ? "no address is suppressed"
          : table(
              style,
              ["address", "reason", "since", "event"].map((title) => ({ title })),
              suppressions.map((item): Cell[] => [
                item.address,
                item.reason,
                relative(item.createdAt, now()),
                item.eventId,
              ]),
            ),
    };
  },
});

export const suppressionsLift = command<JsonFlags, [address: string]>({
  brief: "Send mails to a suppressed address again",
  about: "Mails that are `suppressed` stay so; `dead retry` queues a dead one again.",
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ parse: text, placeholder: "address", brief: "The address; case is ignored" }],
    },
    flags: { json: JSON_FLAG },
  },
  examples: [["suppressions lift mai@example.org", "the mailbox exists now"]],
  needs: ["database"],
  async run({ db }, _flags, address) {
    const { liftSuppression } = await import("../../database/users/suppressions.ts");
    const lifted = await liftSuppression(db, address);
    return {
      json: { lifted },
      failed: !lifted,
      text: () => (lifted ? "lifted" : "that address is not suppressed"),
    };
  },
});
