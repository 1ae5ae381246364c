import { command } from "../command.ts";
import { JSON_FLAG, type JsonFlags, proposeGroups, text } from "../flags.ts";

const parameters = {
  positional: {
    kind: "tuple",
    parameters: [{ parse: text, proposeCompletions: proposeGroups, placeholder: "group", brief: "The group's name" }],
  },
  flags: { json: JSON_FLAG },
} as const;

const CONNECT_WITHIN_MS = 2_000;
const LABEL = { postgres: "Postgres", redis: "Redis" } as const;
const OTHER = { postgres: "Redis", redis: "Postgres" } as const;

export const pauseCommand = command<JsonFlags, [name: string]>({
  brief: "Pause a group: entries in flight are finished, new ones wait",
  parameters,
  about: [
    "The pause is a row in Postgres, with a copy in Redis: it survives the loss of either. One store is enough to pause; the api",
    "completes the other within seconds, once it is available.",
  ].join("\n"),
  examples: [["pause welcome-email", "nothing is lost, and signups are still accepted"]],
  // One store is enough.
  needs: [],
  async run({ db, redis, keys, groups }, _flags, name) {
    const [{ pausesOf }, { pauseGroup }, { untilReady }, { groupNamed }] = await Promise.all([
      import("../../database/groups/pauses.ts"),
      import("../../stream/pauses.ts"),
      import("../../stream/connection.ts"),
      import("../actions/operator.ts"),
    ]);
    const group = groupNamed({ groups }, name).name;
    await untilReady(redis, CONNECT_WITHIN_MS);
    const { changed, missing } = await pauseGroup(
      { pauses: pausesOf(db), redis, keys },
      { group, reason: null, by: "ops" },
    );
    const [away] = missing;
    const note =
      away === undefined ? "" : `; only ${OTHER[away]} has the pause until ${LABEL[away]} is available again`;
    return {
      json: { group, paused: true, changed, ...(away === undefined ? {} : { missing }) },
      text: () => `${group} ${changed ? "is paused" : "was already paused"}; \`resume ${group}\` continues it${note}`,
    };
  },
});

export const resumeCommand = command<JsonFlags, [name: string]>({
  brief: "Resume a paused group",
  parameters,
  examples: [["resume welcome-email", "its consumers read again within about a second"]],
  needs: ["database", "redis"],
  async run({ db, redis, keys, groups }, _flags, name) {
    const [{ pausesOf }, { resumeGroup }, { groupNamed }] = await Promise.all([
      import("../../database/groups/pauses.ts"),
      import("../../stream/pauses.ts"),
      import("../actions/operator.ts"),
    ]);
    const group = groupNamed({ groups }, name).name;
    const changed = await resumeGroup({ pauses: pausesOf(db), redis, keys }, group);
    return {
      json: { group, paused: false, changed },
      text: () => `${group} ${changed ? "is resumed" : "was not paused"}`,
    };
  },
});
