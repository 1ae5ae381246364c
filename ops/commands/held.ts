import { counted, relative } from "../../runtime/quantity.ts";
import { command, UsageError } from "../command.ts";
import {
  ACT_FLAGS,
  type ActFlags,
  COMMON_FLAGS,
  type CommonFlags,
  eventId,
  GROUP_FLAG,
  limitFlag,
  reasonFlag,
  SWITCH,
} from "../flags.ts";
import { type Cell, table } from "../terminal/table.ts";

interface Flags extends CommonFlags {
  readonly group?: string;
}

interface ListFlags extends Flags {
  readonly limit: number;
  readonly reason?: string;
}

interface ActingFlags extends Flags, ActFlags {}

interface ReleaseFlags extends ActingFlags {
  readonly all?: boolean;
  readonly reason?: string;
}

export const heldList = command<ListFlags>({
  brief: "List what is held: by reason, and until when, or that it waits for your decision",
  parameters: {
    flags: {
      limit: limitFlag("deliveries", 10_000),
      reason: reasonFlag("Only what is held for this reason"),
      group: GROUP_FLAG,
      ...COMMON_FLAGS,
    },
  },
  examples: [["held list", "check in the other system (for mail: its log or the inbox) before you decide"]],
  needs: ["database"],
  async run(context, { limit, reason, group }) {
    const [{ listHeld }, { groupsNamed }] = await Promise.all([
      import("../actions/held.ts"),
      import("../actions/operator.ts"),
    ]);
    const deliveries = await listHeld(context, groupsNamed(context, group), { limit, reason });
    return {
      json: { deliveries },
      text: (style) =>
        deliveries.length === 0
          ? "nothing is held"
          : table(
              style,
              ["event", "subject", "group", "attempts", "uncertain", "held", "released", "reason"].map((title) => ({
                title,
              })),
              deliveries.map((delivery): Cell[] => [
                delivery.eventId,
                delivery.subject,
                delivery.group,
                String(delivery.attempts),
                String(delivery.uncertain),
                relative(delivery.heldAt, context.now()),
                delivery.heldUntil === null ? "by you" : relative(delivery.heldUntil, context.now()),
                delivery.reason ?? "",
              ]),
            ),
    };
  },
});

export const heldRelease = command<ReleaseFlags, [id: string | undefined]>({
  brief: "Have held work done after all",
  about: [
    "What is uncertain may be a duplicate (party_refuses and account_refused are not): a mail has the same Message-ID, and the `uncertain` counter is kept. What is above a limit",
    "(recipient_cap, domain_cap) is sent at once, and counted.",
  ].join("\n"),
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        { parse: eventId, optional: true, placeholder: "event id", brief: "The event of one held delivery" },
      ],
    },
    flags: {
      reason: reasonFlag("All that is held for this reason (see `held list`)"),
      all: { ...SWITCH, brief: "All that is held" },
      group: GROUP_FLAG,
      ...ACT_FLAGS,
    },
  },
  examples: [
    ["held release 0190c3a1-6f0e-7000-8000-000000000001", "one"],
    ["held release --reason party_refuses", "all that a domain has refused, once it accepts mail again"],
    ["held release --all", "all of them, mail above a limit included"],
  ],
  needs: ["database", "redis"],
  publishes: true,
  check(flags, id) {
    const selections = [id !== undefined, flags.reason !== undefined, flags.all === true];
    if (selections.filter(Boolean).length !== 1)
      throw new UsageError("expected one of <event id> | --reason R | --all");
  },
  async run(context, flags, id) {
    const [{ releaseAll, releaseHeld }, { groupsNamed }] = await Promise.all([
      import("../actions/held.ts"),
      import("../actions/operator.ts"),
    ]);
    let released = 0;
    let stopped = false;
    for (const group of groupsNamed(context, flags.group)) {
      if (id === undefined) {
        const report = await releaseAll(context, group, flags.reason);
        released += report.released;
        stopped ||= report.stopped;
      } else {
        released += (await releaseHeld(context, group, [id])).length;
      }
    }
    const nothing = id !== undefined && released === 0;
    return {
      json: { released, stopped },
      failed: nothing || stopped,
      text: (style) => {
        if (nothing) return "no such delivery is held";
        const rest = stopped ? style("warning", "; stopped before the end, run it again to continue") : "";
        return `${counted(released, "delivery", "deliveries")} released${rest}`;
      },
    };
  },
});

export const heldDrop = command<ActingFlags, [id: string]>({
  brief: "Give up a held delivery: it becomes dead, reason dropped_by_operator",
  about: "It gets no dead letter. `dead retry <event id>` still recovers it.",
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ parse: eventId, placeholder: "event id", brief: "The event of a held delivery" }],
    },
    flags: { group: GROUP_FLAG, ...ACT_FLAGS },
  },
  examples: [["held drop 0190c3a1-6f0e-7000-8000-000000000001", "it has arrived, or is no longer wanted"]],
  needs: ["database", "redis"],
  async run(context, flags, id) {
    const [{ dropHeld }, { groupsNamed }] = await Promise.all([
      import("../actions/held.ts"),
      import("../actions/operator.ts"),
    ]);
    const dropped: string[] = [];
    for (const group of groupsNamed(context, flags.group)) dropped.push(...(await dropHeld(context, group, [id])));
    return {
      json: { dropped },
      failed: dropped.length === 0,
      text: () =>
        dropped.length === 0
          ? "no such delivery is held"
          : `${counted(dropped.length, "delivery", "deliveries")} dropped`,
    };
  },
});
