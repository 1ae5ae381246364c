import type { ImportedWork, SignupFacts } from "../../../database/users/import.ts";
import type { FoundMessage } from "../../../stream/celery/broker.ts";
import { celeryMoment, type DecodedTask, isNamed, type UnreadableReason } from "../../../stream/celery/message.ts";
import type { TaskEvidence } from "../../../stream/celery/results.ts";

/** Why a message stays where it is. */
export type LeftReason =
  | UnreadableReason
  | "other_task"
  | "wrong_arguments"
  | "has_follow_ups"
  | "expired"
  | "unreadable_eta"
  | "unreadable_expiry"
  | "held_by_worker"
  | "started"
  | "revoked"
  | "unreadable_result"
  | "repeated_id"
  | "no_such_user"
  | "invalid_address"
  | "invalid_name"
  | "name_taken";

/** What becomes of a message that is taken. `dropped`: nothing is to be done any more. */
export type TakenOutcome = ImportedWork["state"] | "imported_before" | "welcomed_before";

export type Decision =
  | { readonly kind: "leave"; readonly reason: LeftReason }
  | { readonly kind: "drop"; readonly outcome: "imported_before" | "welcomed_before" }
  | { readonly kind: "record"; readonly work: ImportedWork; readonly makesUser: boolean };

/** The arguments of `send_email_welcome(email_to, username)`. */
export interface WelcomeArguments {
  readonly email: string;
  readonly userName: string;
}

/** What a decision depends on besides the message. */
export interface Known {
  readonly facts: SignupFacts;
  readonly evidence: TaskEvidence;
  readonly now: Date;
}

export interface DecideOptions {
  /** Full name of the task, or its last part. */
  readonly task: string;
  /** Zone of times without an offset. */
  readonly timezone: string;
  readonly createUsers: boolean;
  /** After so long without an acknowledgement Celery itself gives a message to another worker. */
  readonly visibilityTimeoutMs: number;
  /** No worker runs: what is not acknowledged is nobody's. */
  readonly takeUnacked: boolean;
}

/** By position or by name; undefined: it is another signature. */
export const welcomeArguments = (decoded: DecodedTask): WelcomeArguments | undefined => {
  if (decoded.kind !== "task") return undefined;
  const { args, kwargs } = decoded.task;
  const [email = kwargs["email_to"], userName = kwargs["username"]] = args;
  const given = args.length + Object.keys(kwargs).length;
  const areTexts = typeof email === "string" && typeof userName === "string";
  return given === 2 && areTexts ? { email: email.trim(), userName: userName.normalize("NFC").trim() } : undefined;
};

const MAX_ADDRESS = 254;
const ADDRESS =
  /^[a-z0-9!#$&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$&'*+/=?^_`{|}~-]+)*@([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{0,62}$/i;
const MAX_NAME = 64;
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

/** Why nobody can be made of these; stricter than a signup with addresses that are not in ASCII. */
const userFault = ({ email, userName }: WelcomeArguments): LeftReason | undefined => {
  if (email.length > MAX_ADDRESS || !ADDRESS.test(email)) return "invalid_address";
  const isNamed = userName !== "" && [...userName].length <= MAX_NAME && !NOT_IN_NAMES.test(userName);
  return isNamed ? undefined : "invalid_name";
};

/** What the message alone says against it; undefined: nothing. */
export const obstacleIn = (
  decoded: DecodedTask,
  { heldMs, place }: Pick<FoundMessage, "heldMs" | "place">,
  { task, visibilityTimeoutMs, takeUnacked }: DecideOptions,
): LeftReason | undefined => {
  if (decoded.kind === "unreadable") {
    const isOther = decoded.name !== undefined && !isNamed({ name: decoded.name }, task);
    return isOther ? "other_task" : decoded.reason;
  }
  if (!isNamed(decoded.task, task)) return "other_task";
  if (welcomeArguments(decoded) === undefined) return "wrong_arguments";
  if (decoded.task.hasFollowUps) return "has_follow_ups";
  const mayBeHeld = heldMs < visibilityTimeoutMs || !Number.isFinite(heldMs);
  return place.kind === "unacked" && mayBeHeld && !takeUnacked ? "held_by_worker" : undefined;
};

/** Whether a worker has it, or had it: it may have begun, and may still have it in memory. */
export const wasWithWorker = (decoded: DecodedTask, { place }: Pick<FoundMessage, "place">): boolean =>
  place.kind === "unacked" || (decoded.kind === "task" && decoded.task.isRedelivered);

/** Why a delivery is as it is: the words of the ledger. */
const REASONS = { done: "sent_by_celery", failed: "celery_failed", uncertain: "celery_unacknowledged" } as const;

/**
 * Decides what becomes of one message. Pure. The order matters: whatever Celery says of a mail that was sent ends it, before anything that
 * would send it.
 */
export const decide = (
  decoded: DecodedTask,
  found: Pick<FoundMessage, "heldMs" | "place">,
  { facts, evidence, now }: Known,
  options: DecideOptions,
): Decision => {
  const leave = (reason: LeftReason): Decision => ({ kind: "leave", reason });
  const obstacle = obstacleIn(decoded, found, options);
  if (obstacle !== undefined) return leave(obstacle);
  const person = welcomeArguments(decoded);
  if (decoded.kind === "unreadable" || person === undefined) return leave("wrong_arguments");
  if (facts.isAnothers) return leave("repeated_id");
  if (facts.isImported) return { kind: "drop", outcome: "imported_before" };
  if (facts.isHandled) return { kind: "drop", outcome: "welcomed_before" };
  if (facts.user === undefined && !options.createUsers) return leave("no_such_user");
  const fault = facts.user === undefined ? userFault(person) : undefined;
  if (fault !== undefined) return leave(fault);
  if (facts.user === undefined && facts.isNameTaken) return leave("name_taken");

  const { id, retries, eta, expires } = decoded.task;
  const base = { attempts: Math.min(retries, MAX_ATTEMPTS), receipt: `celery:${id}`, dueAt: null };
  const record = (work: Omit<ImportedWork, "receipt" | "attempts">, attempts = base.attempts): Decision => ({
    kind: "record",
    work: { ...base, ...work, attempts },
    makesUser: facts.user === undefined,
  });
  const { status, isMarked } = evidence;
  if (isMarked || status === "SUCCESS") {
    return record({ state: "done", reason: REASONS.done, dueAt: null }, base.attempts + 1);
  }
  if (status === "unreadable") return leave("unreadable_result");
  if (status === "REVOKED") return leave("revoked");
  if (status === "FAILURE") return record({ state: "held", reason: REASONS.failed, dueAt: null });
  const isBegun = !NOT_BEGUN.has(status);
  if (isBegun && !(options.takeUnacked || found.place.kind === "unacked")) return leave("started");
  const until = expires === null ? undefined : celeryMoment(expires, options.timezone);
  if (expires !== null && until === undefined) return leave("unreadable_expiry");
  const dueAt = eta === null ? null : celeryMoment(eta, options.timezone);
  if (dueAt === undefined) return leave("unreadable_eta");
  // Whoever takes it, now or when it is due, discards it.
  if (until !== undefined && (until <= now || until <= (dueAt ?? now))) return leave("expired");
  // A worker keeps what is not due in memory, unacknowledged: it has not begun.
  const isDue = dueAt === null || dueAt <= now;
  const mayHaveBegun = isBegun || (wasWithWorker(decoded, found) && isDue);
  return mayHaveBegun
    ? record({ state: "uncertain", reason: REASONS.uncertain, dueAt })
    : record({ state: "queued", reason: null, dueAt });
};

const MAX_ATTEMPTS = 1_000;
/** Of all states, those that are the code's own included, these say that no worker is at it. */
const NOT_BEGUN: ReadonlySet<string | null> = new Set([null, "PENDING", "RECEIVED", "RETRY"]);
