/**
 * A consumer group: its name, the event types it binds to, and the template whose mails it sends. Known to the api, which
 * makes streams and groups before the first consumer is there; `consumers/registry.ts` binds handlers to them.
 */
export interface Group {
  readonly name: string;
  /** Patterns of event types without their version suffix rules: `*` stands for one or more characters, as in `user.*`. */
  readonly types: readonly string[];
  /** Template of the ledger rows that this group works off; undefined for a group that sends no mail. */
  readonly template?: string;
}

export const WELCOME_EMAIL: Group = {
  name: "welcome-email",
  types: ["user.signed_up.v1"],
  template: "welcome",
};

export const GROUPS: readonly Group[] = [WELCOME_EMAIL];

/** Whether a type matches a pattern as a topic exchange would: `*` matches any run of characters, the rest is literal. */
export const matchesType = (pattern: string, type: string): boolean => {
  const parts = pattern.split("*");
  const [first = "", ...rest] = parts;
  if (rest.length === 0) return pattern === type;
  if (!type.startsWith(first)) return false;
  let from = first.length;
  for (const [index, part] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const at = isLast ? type.length - part.length : type.indexOf(part, from);
    if (at < from || !type.startsWith(part, at)) return false;
    from = at + part.length;
  }
  return true;
};

/** What a group does with an event type: handles it, does not know it, or knows its name in another version. */
export const bindingOf = (group: Group, type: string): "handled" | "unknown-version" | "unbound" => {
  if (group.types.some((pattern) => matchesType(pattern, type))) return "handled";
  const nameOf = (versioned: string) => versioned.replace(/\.v\d+$/, "");
  return group.types.some((pattern) => nameOf(pattern) === nameOf(type)) ? "unknown-version" : "unbound";
};
