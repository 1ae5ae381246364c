import { counted } from "../../runtime/quantity.ts";
import type { Group } from "../../stream/groups.ts";
import type { ActionReport, DeliverySelection } from "../actions/deliveries/act.ts";
import type { DeliveryAction } from "../actions/deliveries/decide.ts";
import { OUTCOME_WORDS, outcomeLines } from "../actions/deliveries/outcome-words.ts";
import { command, UsageError } from "../command.ts";
import {
  ACT_FLAGS,
  type ActFlags,
  DRY_RUN_FLAG,
  eventId,
  GROUP_FLAG,
  momentFlag,
  reasonFlag,
  YES_FLAG,
} from "../flags.ts";
import { mayChange, NOT_CONFIRMED } from "../terminal/confirm.ts";
import { printable, type Style } from "../terminal/style.ts";

type State = Extract<DeliverySelection, { readonly kind: "all" }>["state"];

interface Flags extends ActFlags {
  readonly group?: string;
  readonly state?: State;
  readonly reason?: string;
  readonly since?: Date;
  readonly before?: Date;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Asks for exactly one of an id and a state; a reason and times go with a state. */
const selectionOf = ({ state, reason, since, before }: Flags, id: string | undefined): DeliverySelection => {
  const hasFilter = reason !== undefined || since !== undefined || before !== undefined;
  if (id !== undefined && (state !== undefined || hasFilter)) {
    throw new UsageError("expected an event id alone, or --state with --reason, --since and --before");
  }
  if (id !== undefined) return { kind: "chosen", eventIds: [id] };
  if (state === undefined) throw new UsageError("expected one of <event id> | --state S");
  return { kind: "all", state, reason, since, before };
};

const groupText = (style: Style, report: ActionReport): readonly string[] => [
  style("bold", `${counted(report.looked, "delivery", "deliveries")} of ${printable(report.group)}`),
  ...outcomeLines(OUTCOME_WORDS, report.outcomes).map((line) => `  ${line}`),
];

const LIFT_FIRST =
  "to send to suppressed addresses all the same: ops suppressions list, ops suppressions lift, then this again";

const reportText = (style: Style, reports: readonly ActionReport[], isPreview: boolean): string => {
  const found = reports.filter(({ looked }) => looked > 0);
  const stopped = reports.some((report) => report.stopped)
    ? [style("warning", "stopped before the end; run it again to continue")]
    : [];
  const nothing = found.length === 0 ? ["there is no such delivery"] : [];
  const preview = isPreview && found.length > 0 ? [style("dim", "Nothing was done; this would become of them:")] : [];
  const suppressed = found.reduce((sum, { outcomes }) => sum + (outcomes.stays_suppressed ?? 0), 0);
  const hint = suppressed === 0 ? [] : [style("warning", LIFT_FIRST)];
  const reported = found.flatMap((report) => groupText(style, report));
  return [...preview, ...nothing, ...reported, ...stopped, ...hint].join("\n");
};

/** Acts on one group after the other; it stops with the first that is stopped. */
const inTurn = async (
  groups: readonly Group[],
  act: (group: Group) => Promise<ActionReport>,
): Promise<readonly ActionReport[]> => {
  const reports: ActionReport[] = [];
  for (const group of groups) {
    const report = await act(group);
    reports.push(report);
    if (report.stopped) break;
  }
  return reports;
};

const changedOf = (reports: readonly ActionReport[]): number => reports.reduce((sum, { changed }) => sum + changed, 0);

interface ActingCommand {
  readonly action: DeliveryAction;
  readonly brief: string;
  readonly about: string;
  /** States in which it changes something. */
  readonly states: readonly [State, ...State[]];
  readonly example: readonly [line: string, about: string];
}

const ID = "0190c3a1-6f0e-7000-8000-000000000001";

/** A command that does one action to one delivery, or to all of a state. Its preview and the action decide alike. */
const acting = ({ action, brief, about, states, example }: ActingCommand) => {
  const stateOf = (value: string): State => {
    const state = states.find((each) => each === value);
    if (state !== undefined) return state;
    throw new SyntaxError(`${value}: expected one of ${states.join(", ")}`);
  };
  return command<Flags, [id: string | undefined]>({
    brief,
    about,
    parameters: {
      positional: {
        kind: "tuple",
        parameters: [{ parse: eventId, optional: true, placeholder: "event id", brief: "The event of one delivery" }],
      },
      flags: {
        group: GROUP_FLAG,
        state: {
          kind: "parsed",
          parse: stateOf,
          proposeCompletions: () => states,
          optional: true,
          placeholder: "S",
          brief: `All deliveries in this state: ${states.join(", ")}`,
        },
        reason: reasonFlag("Of those, only with this reason"),
        since: momentFlag("Only what has changed since then: a time, or an age such as 2h"),
        before: momentFlag("Only what has changed before then"),
        dryRun: DRY_RUN_FLAG,
        yes: YES_FLAG,
        ...ACT_FLAGS,
      },
    },
    examples: [
      [`deliveries ${action} ${ID} --group welcome-email`, "one"],
      example,
      [`deliveries ${action} --state ${states[0]} --dry-run`, "what would become of how many, in each group"],
    ],
    needs: ["database", "redis"],
    publishes: true,
    check: selectionOf,
    async run(context, flags, id) {
      const [{ actOnDeliveries, previewAction }, { countInState }, { groupsNamed }] = await Promise.all([
        import("../actions/deliveries/act.ts"),
        import("../actions/listed.ts"),
        import("../actions/operator.ts"),
      ]);
      const groups = groupsNamed(context, flags.group);
      const selection = selectionOf(flags, id);
      // An error that names the reasons there are.
      if (selection.kind === "all" && selection.reason !== undefined) await countInState(context, groups, selection);
      const preview = await inTurn(groups, (group) => previewAction(context, action, group, selection));
      const isCutShort = preview.some(({ stopped }) => stopped);
      if (flags.dryRun === true) {
        return { json: { reports: preview }, failed: isCutShort, text: (style) => reportText(style, preview, true) };
      }
      const options = { yes: flags.yes, signal: context.signal };
      if (isCutShort || !(await mayChange(changedOf(preview), "deliveries", options))) {
        return {
          json: { reports: [] },
          failed: true,
          text: (style) => `${reportText(style, preview, true)}\n${NOT_CONFIRMED}`,
        };
      }
      const looked = new Map(preview.map((report) => [report.group, report.looked]));
      const meant = groups.filter(({ name }) => (looked.get(name) ?? 0) > 0);
      const reports = await inTurn(meant, (group) =>
        actOnDeliveries(context, action, group, selection, looked.get(group.name)),
      );
      return {
        json: { reports },
        failed: reports.some(({ stopped }) => stopped) || (id !== undefined && changedOf(reports) === 0),
        text: (style) => reportText(style, reports, false),
      };
    },
  });
};

export const deliveriesRetry = acting({
  action: "retry",
  brief: "Queue again what is dead or suppressed, with fresh counters",
  about: "What would end without a mail stays as it is, and is counted. `--dry-run` says what would become of each.",
  states: ["dead", "suppressed"],
  example: ["deliveries retry --group welcome-email --state dead --reason retries_exhausted", "all of a reason"],
});

export const deliveriesRetryNow = acting({
  action: "retry-now",
  brief: "Attempt now what waits for its next attempt, or for the delay of its group",
  about: "Its counters stay as they are.",
  states: ["retrying", "uncertain", "waiting"],
  example: ["deliveries retry-now --group welcome-email --state retrying", "after a fault is mended"],
});

export const deliveriesHold = acting({
  action: "hold",
  brief: "Hold what is queued or waits for its next attempt, until an operator releases it",
  about: "An attempt that is under way ends as ever. `held list` shows what is held, `deliveries release` lets it go.",
  states: ["queued", "retrying", "uncertain", "waiting"],
  example: ["deliveries hold --group welcome-email --state queued --since 10m", "what came in the last ten minutes"],
});

export const deliveriesRelease = acting({
  action: "release",
  brief: "Queue again what is held, with fresh counters",
  about: "What is uncertain may be a duplicate then.",
  states: ["held"],
  example: ["deliveries release --group welcome-email --state held --reason party_refuses", "all of a reason"],
});

export const deliveriesDiscard = acting({
  action: "discard",
  brief: "Give up deliveries: they are dead, reason dropped_by_operator",
  about: "`deliveries retry` with the event's id still recovers one.",
  states: ["dead", "held", "queued", "retrying", "uncertain", "waiting"],
  example: ["deliveries discard --group welcome-email --state retrying --before 2d", "what is too old to be of use"],
});
