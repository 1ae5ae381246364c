import { counted, relative } from "../../runtime/quantity.ts";
import { retryOfDead } from "../../runtime/situation/suppression-reasons.ts";
import { maskedAddress } from "../actions/mask.ts";
import { NotFound } from "../actions/operator.ts";
import { command, UsageError } from "../command.ts";
import {
  ACT_FLAGS,
  type ActFlags,
  COMMON_FLAGS,
  type CommonFlags,
  DRY_RUN_FLAG,
  limitFlag,
  momentFlag,
  reasonFlag,
  SHOW_ADDRESS_FLAG,
  text,
  YES_FLAG,
} from "../flags.ts";
import { mayChange, NOT_CONFIRMED } from "../terminal/confirm.ts";
import { type Cell, table } from "../terminal/table.ts";

interface ListFlags extends CommonFlags {
  readonly limit: number;
  readonly showAddress?: boolean;
}

export const suppressionsList = command<ListFlags>({
  brief: "List suppressed addresses, to which nothing is sent, the latest first",
  parameters: { flags: { limit: limitFlag("addresses", 10_000), showAddress: SHOW_ADDRESS_FLAG, ...COMMON_FLAGS } },
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

interface LiftFlags extends ActFlags {
  readonly reason?: string;
  readonly since?: Date;
  readonly before?: Date;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const requireOne = ({ reason, since, before }: LiftFlags, address: string | undefined): void => {
  if ((address === undefined) === (reason === undefined)) {
    throw new UsageError("expected one of: <address> | --reason R");
  }
  if (address !== undefined && (since ?? before) !== undefined) {
    throw new UsageError("--since and --before select among addresses: give --reason R with them");
  }
};

export const suppressionsLift = command<LiftFlags, [address: string | undefined]>({
  brief: "Send mails to suppressed addresses again",
  about: [
    "One address, or all that were suppressed for a reason, as after an hour in which a provider called every address unknown.",
    "Mails that are `suppressed` stay so; `dead retry` queues dead ones again.",
  ].join("\n"),
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ parse: text, optional: true, placeholder: "address", brief: "The address; case is ignored" }],
    },
    flags: {
      reason: reasonFlag("All addresses with this reason (see `suppressions list`)"),
      since: momentFlag("Of these, only addresses suppressed since then: a time, or an age such as 2h"),
      before: momentFlag("Of these, only addresses suppressed before then"),
      yes: YES_FLAG,
      dryRun: DRY_RUN_FLAG,
      ...ACT_FLAGS,
    },
  },
  examples: [
    ["suppressions lift mai@example.org", "the mailbox exists now"],
    ["suppressions lift --reason no_such_address --since 2h --dry-run", "how many would it be?"],
  ],
  needs: ["database"],
  check: requireOne,
  async run(context, { reason = "", since, before, dryRun, yes }, address) {
    const { db, signal } = context;
    const [suppressions, { liftAddress, liftAddresses }] = await Promise.all([
      import("../../database/users/suppressions.ts"),
      import("../actions/suppressions.ts"),
    ]);
    if (address !== undefined) {
      const lifted = (await liftAddress(context, address)) !== undefined;
      return {
        json: { lifted },
        failed: !lifted,
        text: () => (lifted ? "lifted" : "that address is not suppressed"),
      };
    }
    const selection = { reason, since, before };
    const found = await suppressions.countSuppressions(db, selection);
    if (found === 0) {
      const known = await suppressions.suppressionReasons(db);
      const there = known.length === 0 ? "no address is suppressed" : `there are: ${known.join(", ")}`;
      throw new NotFound(`no address is suppressed for ${reason} in that time; ${there}`);
    }
    if (dryRun === true) {
      return {
        json: { count: found, lifted: 0 },
        text: () => `${counted(found, "address", "addresses")} would be lifted`,
      };
    }
    if (!(await mayChange(found, "addresses", { yes, signal }))) {
      return {
        json: { count: found, lifted: 0 },
        failed: true,
        text: () => `nothing was lifted: ${NOT_CONFIRMED}`,
      };
    }
    const lifted = await liftAddresses(context, selection);
    const times = Object.entries({ since, before })
      .flatMap(([name, at]) => (at === undefined ? [] : [` --${name} ${at.toISOString()}`]))
      .join("");
    const retry = retryOfDead(reason, `${times} --dry-run`);
    const hint = retry === undefined ? "" : `\nwhat is dead by it stays so until it is retried: ${retry}`;
    return {
      json: { count: found, lifted },
      text: () => `${counted(lifted, "address", "addresses")} lifted${hint}`,
    };
  },
});
