import { counted } from "../../runtime/quantity.ts";
import { command, UsageError } from "../command.ts";
import {
  ACT_FLAGS,
  type ActFlags,
  type CommonFlags,
  eventId,
  GROUP_FLAG,
  reasonFlag,
  SWITCH,
  YES_FLAG,
} from "../flags.ts";
import { mayChange, NOT_CONFIRMED } from "../terminal/confirm.ts";
import { DELIVERY_LIST_FLAGS, type DeliveryListFlags, deliveryListText } from "./delivery-list.ts";

interface Flags extends CommonFlags {
  readonly group?: string;
}

interface ActingFlags extends Flags, ActFlags {}

interface ReleaseFlags extends ActingFlags {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
}

export const heldList = command<DeliveryListFlags>({
  brief: "List what is held: by reason, and until when, or that it waits for your decision",
  about: "The latest first. `released`: when it is queued again by itself, or that you decide.",
  parameters: { flags: DELIVERY_LIST_FLAGS },
  examples: [
    ["held list", "check in the other system (for mail: its log or the inbox) before you decide"],
    ["held list --reason party_refuses --since 1d", "what a domain has refused since yesterday"],
  ],
  needs: ["database"],
  async run(context, { group, ...filter }) {
    const [{ listByState }, { groupsNamed }] = await Promise.all([
      import("../actions/listed.ts"),
      import("../actions/operator.ts"),
    ]);
    const found = await listByState(context, groupsNamed(context, group), { ...filter, state: "held" });
    const deliveries = found.deliveries.map(({ updatedAt: heldAt, nextTryAt: heldUntil, ...delivery }) => ({
      ...delivery,
      heldAt,
      heldUntil,
    }));
    const options = { now: context.now(), nextTitle: "released", never: "by you" };
    return {
      json: { ...found, deliveries },
      text: (style) => (found.deliveries.length === 0 ? "nothing is held" : deliveryListText(style, found, options)),
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
      yes: YES_FLAG,
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
    const [{ releaseAll, releaseHeld }, { countInState }, { groupsNamed }] = await Promise.all([
      import("../actions/held.ts"),
      import("../actions/listed.ts"),
      import("../actions/operator.ts"),
    ]);
    const groups = groupsNamed(context, flags.group);
    if (id === undefined) {
      const { count, isBound } = await countInState(context, groups, { state: "held", reason: flags.reason });
      const noun = isBound ? "deliveries or more" : "deliveries";
      if (!(await mayChange(count, noun, { yes: flags.yes, signal: context.signal }))) {
        return {
          json: { released: 0, stopped: false },
          failed: true,
          text: () => `nothing was released: ${NOT_CONFIRMED}`,
        };
      }
    }
    let released = 0;
    let stopped = false;
    for (const group of groups) {
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
