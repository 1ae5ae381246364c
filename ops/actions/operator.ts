import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { GROUPS, type Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";

/** How far a long action has come. */
export interface Progress {
  readonly done: number;
  /** undefined: not known in advance. */
  readonly total?: number;
  /** What is counted, in the plural: `letters`. */
  readonly noun: string;
}

/** A point between two writes at which the process may die; tests stop it there. */
export type OperatorCheckpoint = "requeued" | "dropped";

/** What the actions work with, whether the command line or a console calls them. */
export interface Operator {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  /** Aborted: stop after the current batch. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly at: (step: OperatorCheckpoint) => Promise<void> | void;
}

/** What the operator named does not exist. Exit 1. */
export class NotFound extends Error {
  override readonly name = "NotFound";
}

/** A group of `stream/groups.ts` whose mails are in the ledger. */
export interface MailGroup extends Group {
  readonly template: string;
}

/**
 * The group of that name, or every group if none is named.
 *
 * @throws {NotFound} naming the groups there are
 */
export const groupsNamed = (name: string | undefined): readonly Group[] =>
  name === undefined ? GROUPS : [groupNamed(name)];

/**
 * The group of that name.
 *
 * @throws {NotFound} naming the groups there are
 */
export const groupNamed = (name: string): Group => {
  const found = GROUPS.find((group) => group.name === name);
  if (found !== undefined) return found;
  throw new NotFound(`no group is named ${name}; there are: ${GROUPS.map((group) => group.name).join(", ")}`);
};

/** Those of the groups whose mails are in the ledger. */
export const mailGroups = (groups: readonly Group[]): readonly MailGroup[] =>
  groups.flatMap((group) => (group.template === undefined ? [] : [{ ...group, template: group.template }]));
