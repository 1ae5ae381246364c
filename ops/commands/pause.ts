import { pauseGroup, resumeGroup } from "../../stream/pause-group.ts";
import type { Command } from "../command.ts";
import { groupsNamed } from "../operator.ts";

export const pauseCommand: Command = {
  name: "pause",
  summary: "Stop a group's reading; what is under way is finished, what comes waits",
  usage: "<group>",
  options: {},
  words: [1, 1],
  examples: [["pause welcome-email", "nothing is lost, and signups go on"]],
  needs: ["redis"],
  async run({ redis, keys, args }) {
    const [group] = groupsNamed(args.positionals[0]);
    const name = group?.name ?? "";
    const changed = await pauseGroup(redis, keys, name);
    return {
      json: { group: name, paused: true, changed },
      text: () => `${name} ${changed ? "is paused" : "was paused already"}; ops resume ${name} lets it go on`,
    };
  },
};

export const resumeCommand: Command = {
  name: "resume",
  summary: "Let a paused group go on",
  usage: "<group>",
  options: {},
  words: [1, 1],
  examples: [["resume welcome-email", "its consumers read again within a second or so"]],
  needs: ["redis"],
  async run({ redis, keys, args }) {
    const [group] = groupsNamed(args.positionals[0]);
    const name = group?.name ?? "";
    const changed = await resumeGroup(redis, keys, name);
    return {
      json: { group: name, paused: false, changed },
      text: () => `${name} ${changed ? "reads again" : "was not paused"}`,
    };
  },
};
