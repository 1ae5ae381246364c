import { duration } from "../../runtime/quantity.ts";
import type { AwaySince, Situation } from "../actions/situation.ts";
import { type CommandContext, command, PROGRAM, SHOWN, UsageError } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags, interval, SWITCH, wholeNumber } from "../flags.ts";
import { situationText } from "./situation-text.ts";

interface Flags extends CommonFlags {
  readonly watch?: boolean;
  readonly interval?: number;
  readonly count?: number;
}

const EVERY_MS = 2_000;
/** While the local system runs, one of its stores at least does. */
const STORES = 2;

/** A situation, and when it was. */
interface Observed extends Situation {
  readonly at: Date;
}

const jsonOf = ({ at, findings, status }: Observed) => ({ at, findings, ...status });

/** What a log of the watch keeps of it: when, how serious, and why. */
const lineOf = ({ at, findings: [worst, ...others] }: Observed): string => {
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return `${at.toISOString()}  ${worst.level.padEnd("trouble".length)}  ${worst.sentence}.${more}`;
};

const watchStatus = async ({ screen, signal, now, ...context }: CommandContext, flags: Flags): Promise<void> => {
  const [{ watchSituation }, { watch }, { pause }] = await Promise.all([
    import("../actions/situation.ts"),
    import("../terminal/watch.ts"),
    import("../../runtime/loop.ts"),
  ]);
  const { interval: intervalMs = EVERY_MS, count } = flags;
  const away: AwaySince = new Map();
  const head = `${PROGRAM} status, every ${duration(intervalMs)}; Ctrl-C ends it`;
  await watch<Observed>(
    {
      read: async () => ({ at: now(), ...(await watchSituation(context, now(), { away })) }),
      frame: (observed, style) =>
        `${style("dim", `${head}   ${observed.at.toISOString()}`)}\n\n${situationText(style, observed, now())}`,
      line: lineOf,
      json: jsonOf,
    },
    { screen, intervalMs, count, signal, wait: pause },
  );
};

export const status = command<Flags>({
  brief: "Show the state of every group, of the ledger, the outbox and Redis",
  about: [
    "lag: entries not read yet; pending: read, not acked; waiting: first attempts and retries that are not due; dead: dead",
    "letters; oldest unfinished: how long the oldest unread or pending entry has waited; heard of: a consumer's last sign of life. Above the tables it says in sentences",
    "what is wrong, and since when. Exit 1 if a store is away.",
    "",
    "--watch goes on until Ctrl-C, and outlives a store that goes away. On a terminal it redraws in place; in a pipe it appends",
    "one line each time, with --json one JSON document in one line.",
  ].join("\n"),
  parameters: {
    flags: {
      watch: { ...SWITCH, brief: "Show it again and again" },
      interval: {
        kind: "parsed",
        parse: interval,
        optional: true,
        placeholder: "TIME",
        brief: "With --watch: how often (default 2s)",
      },
      count: {
        kind: "parsed",
        parse: wholeNumber(1_000_000),
        optional: true,
        placeholder: "N",
        brief: "With --watch: end after N times",
      },
      ...COMMON_FLAGS,
    },
  },
  examples: [
    ["status", "tables for people"],
    ["status --json", "the same for scripts"],
    ["status --watch --interval 5s", "during an incident"],
  ],
  // It reports itself which store is away.
  needs: [],
  check({ watch, interval: every, count }) {
    if (watch !== true && (every ?? count) !== undefined) throw new UsageError("--interval and --count need --watch");
  },
  async run(context, flags) {
    if (flags.watch === true) {
      await watchStatus(context, flags);
      return SHOWN;
    }
    const { readSituation } = await import("../actions/situation.ts");
    const found = await readSituation(context, context.now());
    const { findings, status: known } = found;
    const { localStart } = context;
    return {
      json: { findings, ...known },
      failed: known === undefined,
      text: (style) =>
        found.away.length === STORES && localStart !== undefined
          ? `${situationText(style, found, context.now())}\n\nNeither store of the local system answers. If it does not run, start it: ${localStart}`
          : situationText(style, found, context.now()),
    };
  },
});
