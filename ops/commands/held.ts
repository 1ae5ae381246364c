import { type HeldEmail, listHeldEmails } from "../../database/held-emails.ts";
import { isUuid } from "../../database/uuid.ts";
import { type Arguments, type Command, GROUP_OPTION, UsageError, wholeNumber } from "../command.ts";
import { dropHeld, releaseAll, releaseEmails } from "../held.ts";
import { groupsNamed, mailGroups } from "../operator.ts";
import { counted, relative } from "../terminal/quantity.ts";
import { type Cell, table } from "../terminal/table.ts";

const DEFAULT_LIMIT = 50;
const limitOf = (args: Arguments) => wholeNumber(args, "limit", DEFAULT_LIMIT, 10_000);

const eventIdFrom = (text: string | undefined): string => {
  if (!isUuid(text)) throw new UsageError(`${text ?? "nothing"}: expected an event id`);
  return text;
};

export const heldList: Command = {
  name: "held list",
  summary: "Mails of which nobody knows whether they went out, and that wait for you",
  usage: "[--limit N]",
  options: {
    limit: { type: "string", placeholder: "N", about: `mails to show (default: ${DEFAULT_LIMIT})` },
    group: GROUP_OPTION,
  },
  words: [0, 0],
  examples: [["held list", "look at the inbox or the server's log before you decide"]],
  needs: ["database"],
  check: (args) => limitOf(args),
  async run({ db, args, now }) {
    const limit = limitOf(args);
    const mails: (HeldEmail & { readonly group: string })[] = [];
    for (const { name, template } of mailGroups(groupsNamed(args.text("group")))) {
      const found = await listHeldEmails(db, { template, limit: limit - mails.length });
      mails.push(...found.map((mail) => ({ group: name, ...mail })));
      if (mails.length >= limit) break;
    }
    return {
      json: { mails },
      text: (style) =>
        mails.length === 0
          ? "nothing is held"
          : table(
              style,
              ["event", "user", "group", "attempts", "uncertain", "held", "reason"].map((title) => ({ title })),
              mails.map((mail): Cell[] => [
                mail.eventId,
                mail.userId,
                mail.group,
                String(mail.attempts),
                String(mail.uncertain),
                relative(mail.heldAt, now()),
                mail.reason ?? "",
              ]),
            ),
    };
  },
};

/** The one that is meant; undefined: all. */
const releaseOf = (args: Arguments): string | undefined => {
  const [id] = args.positionals;
  if (args.has("all") === (id !== undefined)) throw new UsageError("expected either <event id> or --all");
  return id === undefined ? undefined : eventIdFrom(id);
};

export const heldRelease: Command = {
  name: "held release",
  summary: "Send held mails after all",
  usage: "<event id> | --all",
  about: "The mail may be a second one: it was held because nobody knows. Same Message-ID, counted as a possible twin.",
  options: { all: { type: "boolean", about: "all that are held" }, group: GROUP_OPTION },
  words: [0, 1],
  check: (args) => releaseOf(args),
  examples: [
    ["held release 0190c3a1-6f0e-7000-8000-000000000001", "one"],
    ["held release --all", "all of them"],
  ],
  needs: ["database", "redis"],
  async run(context) {
    const { args } = context;
    const id = releaseOf(args);
    let released = 0;
    let stopped = false;
    for (const group of mailGroups(groupsNamed(args.text("group")))) {
      if (id === undefined) {
        const report = await releaseAll(context, group);
        released += report.released;
        stopped ||= report.stopped;
      } else {
        released += (await releaseEmails(context, group, [id])).length;
      }
    }
    const nothing = id !== undefined && released === 0;
    return {
      json: { released, stopped },
      failed: nothing || stopped,
      text: (style) => {
        if (nothing) return "no such mail is held";
        const rest = stopped ? style("warning", "; stopped before the end, run it again to go on") : "";
        return `${counted(released, "mail")} released${rest}`;
      },
    };
  },
};

export const heldDrop: Command = {
  name: "held drop",
  summary: "Give a held mail up: it becomes dead, reason dropped_by_operator",
  usage: "<event id>",
  about: "It gets no dead letter. `dead retry <event id>` would still bring it back.",
  options: { group: GROUP_OPTION },
  words: [1, 1],
  check: (args) => eventIdFrom(args.positionals[0]),
  examples: [["held drop 0190c3a1-6f0e-7000-8000-000000000001", "it has arrived, or is not wanted any more"]],
  needs: ["database", "redis"],
  async run(context) {
    const eventId = eventIdFrom(context.args.positionals[0]);
    const dropped: string[] = [];
    for (const group of mailGroups(groupsNamed(context.args.text("group")))) {
      dropped.push(...(await dropHeld(context, group, [eventId])));
    }
    return {
      json: { dropped },
      failed: dropped.length === 0,
      text: () => (dropped.length === 0 ? "no such mail is held" : `${counted(dropped.length, "mail")} dropped`),
    };
  },
};
