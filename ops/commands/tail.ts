import { relative } from "../../runtime/quantity.ts";
import type { TailLine } from "../actions/tail-lines.ts";
import { command, SHOWN } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags, GROUP_FLAG, wholeNumber } from "../flags.ts";
import { jsonLine } from "../json.ts";
import { printable, type Style, type Tone } from "../terminal/style.ts";

const TONES: Readonly<Record<string, Tone>> = {
  sent: "good",
  done: "good",
  completed: "good",
  retrying: "warning",
  uncertain: "warning",
  held: "warning",
  suppressed: "warning",
  cancelled: "warning",
  dead: "bad",
};

const detailsOf = ({ attempt, reason, nextTryAt, by }: TailLine & { readonly kind: "state" }, now: Date): string =>
  [
    ...(attempt === null ? [] : [`attempt ${attempt}`]),
    ...(reason === null ? [] : [printable(reason)]),
    ...(nextTryAt === null ? [] : [`next ${relative(nextTryAt, now)}`]),
    ...(by === null ? [] : [`by ${printable(by)}`]),
  ].join(", ");

/** A line for people; `nameWidth`: of the column with the group, or the type of an event. */
export const lineText = (style: Style, line: TailLine, nameWidth: number, now: Date): string => {
  const start = `${style("dim", line.at.toISOString())}  ${line.eventId}`;
  if (line.kind === "event")
    return `${start}  ${printable(line.type).padEnd(nameWidth)}  ${style("bold", "published")}`;
  const state = style(TONES[line.state] ?? "plain", line.state.padEnd("processing".length));
  return `${start}  ${line.group.padEnd(nameWidth)}  ${state}  ${style("dim", detailsOf(line, now))}`.trimEnd();
};

interface Flags extends CommonFlags {
  readonly group?: string;
  readonly count?: number;
}

export const tailCommand = command<Flags>({
  brief: "Follow what happens: each event, and each change of a delivery's state, in a line",
  about: [
    "From now on, until Ctrl-C. It reads beside the consumers and takes nothing from them, and outlives a store that goes away.",
    "Nothing in it is personal: `find EVENT_ID` shows whose event it is. With --json each line is one JSON document.",
  ].join("\n"),
  parameters: {
    flags: {
      group: GROUP_FLAG,
      count: {
        kind: "parsed",
        parse: wholeNumber(1_000_000),
        optional: true,
        placeholder: "N",
        brief: "End after N lines",
      },
      ...COMMON_FLAGS,
    },
  },
  examples: [
    ["tail", "all groups"],
    ["tail --group welcome-email --json", "one group, for scripts"],
  ],
  needs: ["database", "redis"],
  outlivesStores: true,
  async run(context, { group, count = Number.POSITIVE_INFINITY }) {
    const { screen, settings, say, now } = context;
    const [{ tail }, { groupsNamed }] = await Promise.all([
      import("../actions/tail.ts"),
      import("../actions/operator.ts"),
    ]);
    const groups = groupsNamed(context, group);
    const nameWidth = Math.max(
      ...groups.flatMap(({ name, types }) => [name.length, ...types.map((type) => type.length)]),
    );
    const enough = new AbortController();
    let left = count;
    await tail({
      operator: context,
      groups,
      redis: { url: settings.REDIS_URL, streamName: settings.STREAM_NAME },
      show: async (lines) => {
        const style = screen.style();
        const shown = lines.slice(0, left);
        left -= shown.length;
        const text = (line: TailLine) => (screen.wantsJson ? jsonLine(line) : lineText(style, line, nameWidth, now()));
        await screen.write(shown.map((line) => `${text(line)}\n`).join(""));
        if (left <= 0) enough.abort();
      },
      say,
      startedAt: now(),
      signal: AbortSignal.any([context.signal, enough.signal]),
    });
    return SHOWN;
  },
});
