import { command } from "../command.ts";
import { ACT_FLAGS, type ActFlags, proposeGroups, SWITCH, text } from "../flags.ts";

const positional = {
  kind: "tuple",
  parameters: [{ parse: text, proposeCompletions: proposeGroups, placeholder: "group", brief: "The group's name" }],
} as const;

interface PauseFlags extends ActFlags {
  readonly unrecorded?: boolean;
}

const LABEL = { postgres: "Postgres", redis: "Redis" } as const;
const OTHER = { postgres: "Redis", redis: "Postgres" } as const;

export const pauseCommand = command<PauseFlags, [name: string]>({
  brief: "Pause a group: entries in flight are finished, new ones wait",
  parameters: {
    positional,
    flags: {
      ...ACT_FLAGS,
      unrecorded: { ...SWITCH, brief: "In an emergency: also while Postgres is away, and with it the audit log" },
    },
  },
  about: [
    "The pause is a row in Postgres, with a copy in Redis: it survives the loss of either. One store is enough to pause, without Postgres",
    "with --unrecorded; the api completes the other within seconds, once it is available.",
  ].join("\n"),
  examples: [["pause welcome-email", "nothing is lost, and signups are still accepted"]],
  // One store is enough.
  needs: [],
  async run(context, _flags, name) {
    const [{ pause }, { groupNamed }] = await Promise.all([
      import("../actions/pause.ts"),
      import("../actions/operator.ts"),
    ]);
    const found = groupNamed(context, name);
    const { changed, missing } = await pause(context, found);
    const group = found.name;
    const [away] = missing;
    const note =
      away === undefined ? "" : `; only ${OTHER[away]} has the pause until ${LABEL[away]} is available again`;
    return {
      json: { group, paused: true, changed, ...(away === undefined ? {} : { missing }) },
      text: () => `${group} ${changed ? "is paused" : "was already paused"}; \`resume ${group}\` continues it${note}`,
    };
  },
});

export const resumeCommand = command<ActFlags, [name: string]>({
  brief: "Resume a paused group",
  parameters: { positional, flags: ACT_FLAGS },
  examples: [["resume welcome-email", "its consumers read again within about a second"]],
  needs: ["database", "redis"],
  async run(context, _flags, name) {
    const [{ resume }, { groupNamed }] = await Promise.all([
      import("../actions/pause.ts"),
      import("../actions/operator.ts"),
    ]);
    const found = groupNamed(context, name);
    const changed = await resume(context, found);
    const group = found.name;
    return {
      json: { group, paused: false, changed },
      text: () => `${group} ${changed ? "is resumed" : "was not paused"}`,
    };
  },
});
