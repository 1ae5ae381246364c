import type { Redis } from "ioredis";

/** A command as Redis got it, by the user that sent it. */
export interface ObservedCommand {
  readonly user: string;
  readonly words: readonly string[];
}

export interface CommandLog {
  /** What every user has sent, the commands of its scripts among them. */
  stop(): readonly ObservedCommand[];
}

/** Names of connections begin with the kind of their process. */
const userOf = (connectionName: string): string => /^[a-z]+/.exec(connectionName)?.[0] ?? "";

/** Records what Redis gets, with MONITOR, as an administrator. A connection says whose it is when it sets its name. */
export const recordCommands = async (admin: Redis): Promise<CommandLog> => {
  const monitor = await admin.monitor();
  const seen: { readonly source: string; readonly words: readonly string[] }[] = [];
  let sender = "";
  monitor.on("monitor", (_time: string, words: readonly string[], source: string) => {
    // A script's own commands follow it.
    if (source !== "lua") sender = source;
    seen.push({ source: sender, words });
  });
  return {
    stop: () => {
      monitor.disconnect();
      const users = new Map<string, string>();
      for (const { source, words } of seen) {
        const [first = "", second = "", name = ""] = words;
        if (first.toLowerCase() === "client" && second.toLowerCase() === "setname") users.set(source, userOf(name));
      }
      return seen.map(({ source, words }) => ({ user: users.get(source) ?? "", words }));
    },
  };
};
