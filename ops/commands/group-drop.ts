import { count } from "../actions/quantity.ts";
import { command, UsageError } from "../command.ts";
import { JSON_FLAG, type JsonFlags, SWITCH, text } from "../flags.ts";
import { confirmed } from "../terminal/confirm.ts";

interface Flags extends JsonFlags {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export const groupDrop = command<Flags, [name: string]>({
  brief: "Delete an orphaned group, which no consumer reads any more",
  about: [
    "An orphaned group holds back trimming: the log grows as long as it exists. Its position in the log, its retries and its",
    "dead letters are deleted; the log, the ledger and other groups are not affected. A group of stream/groups.ts needs",
    "--force, and the api creates it again within seconds, at the beginning of the log.",
  ].join("\n"),
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ parse: text, placeholder: "group", brief: "The group's name" }],
    },
    flags: {
      yes: { ...SWITCH, brief: "Do not ask for confirmation" },
      force: { ...SWITCH, brief: "Drop it even if it is in stream/groups.ts" },
      json: JSON_FLAG,
    },
  },
  examples: [["group drop old-newsletter --yes", "`status` shows which groups are orphaned"]],
  needs: ["redis"],
  async check({ force }, name) {
    const { GROUPS } = await import("../../stream/groups.ts");
    if (force !== true && GROUPS.some((group) => group.name === name)) {
      throw new UsageError(`${name} is a group of stream/groups.ts; to drop it all the same, give --force`);
    }
  },
  async run({ redis, keys, say, signal }, { yes }, name) {
    const [{ dropGroup }, { readGroupStatus }, { NotFound }] = await Promise.all([
      import("../../stream/drop-group.ts"),
      import("../../stream/group-status.ts"),
      import("../actions/operator.ts"),
    ]);
    const found = await readGroupStatus(redis, keys, name);
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
        `dropping group ${name} loses ${unread} unread and ${count(found.pending)} pending entries,`,
        `${count(found.waitingRetries)} waiting retries and ${count(found.deadLetters)} dead letters`,
      ].join(" "),
    );
    if (yes !== true && !(await confirmed("This cannot be undone.", name, signal))) {
      return {
        json: { group: name, dropped: false, lost },
        failed: true,
        text: () => "nothing was dropped: not confirmed (without a terminal, give --yes)",
      };
    }
    const dropped = await dropGroup(redis, keys, name);
    return { json: { group: name, dropped, lost }, text: () => `group ${name} dropped` };
  },
});
