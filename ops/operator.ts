import type { Redis } from "ioredis";
import type { Database } from "../database/connection.ts";
import { GROUPS, type Group } from "../stream/groups.ts";
import type { Keys } from "../stream/keys.ts";
import type { Progress } from "./terminal/progress.ts";

/** A moment between two writes at which a process may die; tests stop it there. */
export type OperatorCheckpoint = "requeued" | "dropped";

/** What an operator's functions work with: those of the command line and of a console alike. */
export interface Operator {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  /** Aborted: stop after the batch under way. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly at: (step: OperatorCheckpoint) => Promise<void> | void;
}

/** Something that an operator named is not there. Exit 1. */
export class NotFound extends Error {
  override readonly name = "NotFound";
}

/** A group of `stream/groups.ts` that sends mails of the ledger. */
export interface MailGroup extends Group {
  readonly template: string;
}

/**
 * The group of that name, or all of them if none is named.
 *
 * @throws {NotFound} naming what is there
 */
export const groupsNamed = (name: string | undefined): readonly Group[] => {
  if (name === undefined) return GROUPS;
  const found = GROUPS.filter((group) => group.name === name);
  if (found.length === 0) {
    throw new NotFound(`no group is named ${name}; there are: ${GROUPS.map((group) => group.name).join(", ")}`);
  }
  return found;
};

/** Those of the groups that have mails in the ledger. */
export const mailGroups = (groups: readonly Group[]): readonly MailGroup[] =>
  groups.flatMap((group) => (group.template === undefined ? [] : [{ ...group, template: group.template }]));
