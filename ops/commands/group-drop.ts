import { dropGroup } from "../../stream/drop-group.ts";
import { readGroupStatus } from "../../stream/group-status.ts";
import { GROUPS } from "../../stream/groups.ts";
import { type Arguments, type Command, UsageError } from "../command.ts";
import { NotFound } from "../operator.ts";
import { confirmed } from "../terminal/confirm.ts";
import { count } from "../terminal/quantity.ts";

const refuseKnown = (args: Arguments): void => {
  const name = args.positionals[0] ?? "";
  if (GROUPS.some((group) => group.name === name) && !args.has("force")) {
    throw new UsageError(`${name} is a group of stream/groups.ts; to drop it all the same, give --force`);
  }
};

export const groupDrop: Command = {
  name: "group drop",
  summary: "Take a group off the log that nobody reads any more",
  usage: "<group> [--yes] [--force]",
  about: [
    "A forgotten group holds back trimming: the log grows for as long as it is there. Its place in the log, its retries and",
    "its dead letters are deleted; the log, the ledger and other groups are not touched. A group that the code knows needs",
    "--force, and the api makes it again from the beginning of the log within seconds.",
  ].join("\n"),
  options: {
    yes: { type: "boolean", about: "do not ask" },
    force: { type: "boolean", about: "also a group that is in stream/groups.ts" },
  },
  words: [1, 1],
  examples: [["group drop old-newsletter --yes", "`status` shows which are forgotten"]],
  needs: ["redis"],
  check: refuseKnown,
  async run({ redis, keys, args, say, signal }) {
    const name = args.positionals[0] ?? "";
    const found = await readGroupStatus(redis, keys, { name, types: [] });
    const lost = {
      unread: found.lag,
      pending: found.pending,
      retries: found.retriesLag,
      waitingRetries: found.waitingRetries,
      deadLetters: found.deadLetters,
    };
    const exists = found.exists.events || found.exists.retries || found.waitingRetries + found.deadLetters > 0;
    if (!exists && !found.paused) throw new NotFound(`there is no group ${name}`);
    const unread = found.lag === null ? "an unknown number of" : count(found.lag);
    say(
      [
        `group ${name}: lost would be ${unread} unread and ${count(found.pending)} pending entries,`,
        `${count(found.waitingRetries)} waiting retries, ${count(found.deadLetters)} dead letters`,
      ].join(" "),
    );
    if (!args.has("yes") && !(await confirmed("This cannot be undone.", name, signal))) {
      return {
        json: { group: name, dropped: false, lost },
        failed: true,
        text: () => "nothing was dropped: it was not confirmed (give --yes where there is no terminal)",
      };
    }
    const dropped = await dropGroup(redis, keys, name);
    return { json: { group: name, dropped, lost }, text: () => `group ${name} is dropped` };
  },
};
