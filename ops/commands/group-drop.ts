import { count, counted } from "../../runtime/quantity.ts";
import { command, UsageError } from "../command.ts";
import { ACT_FLAGS, type ActFlags, SWITCH, text } from "../flags.ts";
import { confirmed } from "../terminal/confirm.ts";

interface Flags extends ActFlags {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export const groupDrop = command<Flags, [name: string]>({
  brief: "Delete an orphaned group, which no consumer reads any more",
  about: [
    "An orphaned group holds back trimming: the log grows as long as it exists. Its unfinished and held deliveries are",
    "cancelled in the ledger (`group_dropped`), in batches; then its position in the log, its retries and its dead letters are",
    "deleted. The log, finished deliveries and other groups are not affected. May be stopped, and run again. A group of",
    "stream/groups.ts, or of WEBHOOKS, needs --force, and loses no work: it keeps its deliveries, and the api creates it again within seconds,",
    "at the beginning of the log.",
  ].join("\n"),
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ parse: text, placeholder: "group", brief: "The group's name" }],
    },
    flags: {
      yes: { ...SWITCH, brief: "Do not ask for confirmation" },
      force: { ...SWITCH, brief: "Drop it even if it is declared, or consumers read it" },
      ...ACT_FLAGS,
    },
  },
  examples: [["group drop old-newsletter --yes", "`status` shows which groups are orphaned"]],
  needs: ["database", "redis"],
  async check({ force }, name) {
    const { GROUPS } = await import("../../stream/groups.ts");
    if (force !== true && GROUPS.some((group) => group.name === name)) {
      throw new UsageError(`${name} is a group of stream/groups.ts; to drop it all the same, give --force`);
    }
  },
  async run(context, { yes, force }, name) {
    const { db, redis, keys, say, signal, settings } = context;
    const { groupsOf } = await import("../../stream/groups.ts");
    const keepsWork = groupsOf(settings).some((group) => group.name === name);
    if (keepsWork && force !== true) {
      throw new UsageError(`${name} is the group of a receiver in WEBHOOKS; to drop it all the same, give --force`);
    }
    const [{ dropGroupAndWork }, { countOpen }, { BACKLOG_BOUND }, { readGroupStatus }, { NotFound }, { isSilent }] =
      await Promise.all([
        import("../actions/drop-group.ts"),
        import("../../database/ledger/cancel.ts"),
        import("../../database/ledger/counts.ts"),
        import("../../stream/group-status.ts"),
        import("../actions/operator.ts"),
        import("../../runtime/situation/facts.ts"),
      ]);
    const [found, open] = await Promise.all([readGroupStatus(redis, keys, name), countOpen(db, name)]);
    const isCounted = open < BACKLOG_BOUND;
    const lost = {
      unread: found.lag,
      pending: found.pending,
      retries: found.retriesLag,
      waitingRetries: found.waitingRetries,
      deadLetters: found.deadLetters,
      openDeliveries: open,
    };
    const exists = found.exists.events || found.exists.retries || found.waitingRetries + found.deadLetters + open > 0;
    const living = found.consumers.filter(({ silentMs }) => silentMs !== null && !isSilent({ silentMs }));
    if (living.length > 0 && force !== true) {
      const readers = counted(living.length, "consumer reads", "consumers read");
      throw new UsageError(`${readers} ${name} now; stop them first, or give --force`);
    }
    if (!exists && !found.paused) throw new NotFound(`there is no group ${name}`);
    const unread = found.lag === null ? "an unknown number of" : count(found.lag);
    const deliveries = counted(open, "unfinished or held delivery", "unfinished or held deliveries");
    say(
      [
        `dropping group ${name} ${keepsWork ? "keeps" : "cancels"} ${isCounted ? "" : "at least "}${deliveries}, and loses`,
        `${unread} unread and ${count(found.pending)} pending entries,`,
        `${count(found.waitingRetries)} waiting retries and ${count(found.deadLetters)} dead letters`,
      ].join(" "),
    );
    if (yes !== true && !(await confirmed("This cannot be undone.", name, signal))) {
      return {
        json: { group: name, dropped: false, cancelled: 0, stopped: false, lost },
        failed: true,
        text: () => "nothing was dropped: not confirmed (without a terminal, give --yes)",
      };
    }
    const report = await dropGroupAndWork(context, name, { keepsWork, total: isCounted ? open : undefined });
    const cancelled = `${counted(report.cancelled, "delivery", "deliveries")} cancelled`;
    return {
      json: { ...report, lost },
      failed: report.stopped,
      text: (style) =>
        report.stopped
          ? `${cancelled}\n${style("warning", "stopped before the group was dropped; run it again to continue")}`
          : `group ${name} dropped, ${cancelled}`,
    };
  },
});
