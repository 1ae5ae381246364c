import { liftSuppression, listSuppressions } from "../../database/suppressions.ts";
import { type Arguments, type Command, wholeNumber } from "../command.ts";
import { maskedAddress } from "../terminal/mask.ts";
import { relative } from "../terminal/quantity.ts";
import { type Cell, table } from "../terminal/table.ts";

const DEFAULT_LIMIT = 50;
const limitOf = (args: Arguments) => wholeNumber(args, "limit", DEFAULT_LIMIT, 10_000);

export const suppressionsList: Command = {
  name: "suppressions list",
  summary: "Addresses to which nothing is sent, the latest first",
  usage: "[--limit N] [--show-address]",
  options: {
    limit: { type: "string", placeholder: "N", about: `addresses to show (default: ${DEFAULT_LIMIT})` },
    "show-address": { type: "boolean", about: "print the addresses in full" },
  },
  words: [0, 0],
  examples: [["suppressions list --show-address", "whom a mail server refused for good"]],
  needs: ["database"],
  check: (args) => limitOf(args),
  async run({ db, args, now }) {
    const found = await listSuppressions(db, limitOf(args));
    const suppressions = found.map(({ addressKey, ...rest }) => ({
      address: args.has("show-address") ? addressKey : maskedAddress(addressKey),
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
};

export const suppressionsLift: Command = {
  name: "suppressions lift",
  summary: "Let mails to an address flow again",
  usage: "<address>",
  about: "Mails that are `suppressed` stay so; a dead one may be brought back with `dead retry`.",
  options: {},
  words: [1, 1],
  examples: [["suppressions lift mai@example.org", "the mailbox exists by now"]],
  needs: ["database"],
  async run({ db, args }) {
    const lifted = await liftSuppression(db, args.positionals[0] ?? "");
    return {
      json: { lifted },
      failed: !lifted,
      text: () => (lifted ? "lifted" : "that address is not suppressed"),
    };
  },
};
