import type { Redis } from "ioredis";
import { aclRulesOf, REDIS_RIGHTS, type RedisUser } from "../../stream/acl.ts";
import type { ObservedCommand } from "./observed-commands.ts";

type Rights = (typeof REDIS_RIGHTS)[RedisUser];

/** Rights without one of their grants, and which that is. */
interface Reduced {
  readonly without: string;
  /** The command that is gone; undefined: a kind of key. */
  readonly command: string | undefined;
  readonly rights: Rights;
}

const withoutAt = <Item>(items: readonly Item[], at: number): readonly Item[] =>
  items.filter((_, index) => index !== at);

/** The rights of a user with each of their grants taken away in turn. */
const reductionsOf = (rights: Rights): readonly Reduced[] => [
  ...rights.may.map((command, at) => ({
    without: command,
    command,
    rights: { ...rights, may: withoutAt(rights.may, at) },
  })),
  ...rights.grants.flatMap((grant, line) => {
    const replaced = (changed: Partial<typeof grant>): Rights => ({
      ...rights,
      grants: rights.grants.map((each, index) => (index === line ? { ...each, ...changed } : each)),
    });
    return [
      ...grant.may.map((command, at) => ({
        without: `${command} on ${grant.on.join(", ")}`,
        command,
        rights: replaced({ may: withoutAt(grant.may, at) }),
      })),
      ...grant.on.map((kind, at) => ({
        without: `${kind} for ${grant.may.join(", ")}`,
        command: undefined,
        rights: replaced({ on: withoutAt(grant.on, at) }),
      })),
    ];
  }),
];

/** The same, and without the channel. */
const allReductionsOf = (rights: Rights): readonly Reduced[] => {
  const { hasChannel, ...withoutChannel } = rights;
  const channel = { without: "the channel of states", command: undefined, rights: withoutChannel };
  return [...reductionsOf(rights), ...(hasChannel === true ? [channel] : [])];
};

const nameOf = ([first = "", second = ""]: readonly string[]): string => {
  const name = first.toLowerCase();
  return ["client", "cluster", "xgroup", "xinfo"].includes(name) ? `${name}|${second.toLowerCase()}` : name;
};

/** The same command on the same kinds of keys is one, whatever group, event or time it names. */
const shapeOf = (words: readonly string[]): string =>
  [nameOf(words), ...words.flatMap((word) => /^\{[^}]*\}:[a-z-]+/.exec(word)?.[0] ?? [])].join(" ");

/** Not shown by MONITOR: only Redis' own counters tell that it is used. */
const HIDDEN = ["client|unblock"];

/**
 * Grants of a user without which every command that it sent is still allowed: nobody needs them. Redis itself judges each command,
 * by ACL DRYRUN, under the rights without that grant.
 */
export const unusedCommands = async (
  admin: Redis,
  user: RedisUser,
  observed: readonly ObservedCommand[],
): Promise<readonly string[]> => {
  const shapes = new Map<string, readonly string[]>();
  for (const { words } of observed.filter((each) => each.user === user)) shapes.set(shapeOf(words), words);
  const samples = [...shapes.values()];
  const counters = await admin.info("commandstats");
  const unused: string[] = [];
  for (const { without, command, rights } of allReductionsOf(REDIS_RIGHTS[user])) {
    if (command !== undefined && HIDDEN.includes(command)) {
      if (!new RegExp(`^cmdstat_${command.replace("|", "\\|")}:calls=[1-9]`, "m").test(counters)) unused.push(without);
      continue;
    }
    const tried = command === undefined ? samples : samples.filter((words) => nameOf(words) === command);
    await admin.call("ACL", "SETUSER", "probe", "reset", "on", "nopass", ...aclRulesOf(rights, "*"));
    const verdicts = await Promise.all(tried.map((words) => admin.call("ACL", "DRYRUN", "probe", ...words)));
    if (verdicts.every((verdict) => verdict === "OK")) unused.push(without);
  }
  await admin.call("ACL", "DELUSER", "probe");
  return unused;
};
