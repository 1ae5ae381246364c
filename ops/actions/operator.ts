import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import type { AuditLog } from "./audit-log.ts";

/** How far a long action has come. */
export interface Progress {
  readonly done: number;
  /** undefined: not known in advance. */
  readonly total?: number;
  /** What is counted, in the plural: `letters`. */
  readonly noun: string;
}

/** A point between two writes at which the process may die; tests stop it there. */
export type OperatorCheckpoint = "requeued" | "dropped" | "taken" | "recorded";

/** What the actions work with, whether the command line or a console calls them. */
export interface Operator {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  /** Every group that this code has. */
  readonly groups: readonly Group[];
  /** Aborted: stop after the current batch. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly at: (step: OperatorCheckpoint) => Promise<void> | void;
  /** Where every action that changes something is recorded. */
  readonly audit: AuditLog;
}

/** What the operator named does not exist. Exit 1. */
export class NotFound extends Error {
  override readonly name = "NotFound";
}

/**
 * The group of that name, or every group if none is named.
 *
 * @throws {NotFound} naming the groups there are
 */
export const groupsNamed = (operator: Pick<Operator, "groups">, name: string | undefined): readonly Group[] =>
  name === undefined ? operator.groups : [groupNamed(operator, name)];

/**
 * The group of that name.
 *
 * @throws {NotFound} naming the groups there are
 */
export const groupNamed = ({ groups }: Pick<Operator, "groups">, name: string): Group => {
  const found = groups.find((group) => group.name === name);
  if (found !== undefined) return found;
  throw new NotFound(`no group is named ${name}; there are: ${groups.map((group) => group.name).join(", ")}`);
};
