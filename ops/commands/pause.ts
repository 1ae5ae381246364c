import { command } from "../command.ts";
import { JSON_FLAG, type JsonFlags, proposeGroups, text } from "../flags.ts";

const parameters = {
  positional: {
    kind: "tuple",
    parameters: [{ parse: text, proposeCompletions: proposeGroups, placeholder: "group", brief: "The group's name" }],
  },
  flags: { json: JSON_FLAG },
} as const;

export const pauseCommand = command<JsonFlags, [name: string]>({
  brief: "Pause a group: entries in flight are finished, new ones wait",
  parameters,
  examples: [["pause welcome-email", "nothing is lost, and signups are still accepted"]],
  needs: ["redis"],
  async run({ redis, keys, groups }, _flags, name) {
    const [{ pauseGroup }, { groupNamed }] = await Promise.all([
      import("../../stream/pauses.ts"),
      import("../actions/operator.ts"),
    ]);
    const group = groupNamed({ groups }, name).name;
    const changed = await pauseGroup(redis, keys, group);
    return {
      json: { group, paused: true, changed },
      text: () => `${group} ${changed ? "is paused" : "was already paused"}; \`resume ${group}\` continues it`,
    };
  },
});

export const resumeCommand = command<JsonFlags, [name: string]>({
  brief: "Resume a paused group",
  parameters,
  examples: [["resume welcome-email", "its consumers read again within about a second"]],
  needs: ["redis"],
  async run({ redis, keys, groups }, _flags, name) {
    const [{ resumeGroup }, { groupNamed }] = await Promise.all([
      import("../../stream/pauses.ts"),
      import("../actions/operator.ts"),
    ]);
    const group = groupNamed({ groups }, name).name;
    const changed = await resumeGroup(redis, keys, group);
    return {
      json: { group, paused: false, changed },
      text: () => `${group} ${changed ? "is resumed" : "was not paused"}`,
    };
  },
});
