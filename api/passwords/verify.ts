import { comparisonKey } from "../../database/comparison-key.ts";
import type { Database } from "../../database/connection.ts";
import {
  countPasswordAttempt,
  forgetPasswordAttempts,
  type PasswordHolder,
  replacePasswordHash,
} from "../../database/users/password-attempts.ts";
import { ProblemError } from "../problem.ts";
import type { PasswordHasher } from "./hasher.ts";
import { type HashCost, isOutdated } from "./outdated.ts";

export interface VerifyDeps {
  readonly db: Database;
  readonly hasher: PasswordHasher;
  readonly cost: HashCost;
}

/**
 * Whether a password is that of the user who has an address; undefined: it is not, or nobody has the address, which takes the
 * same time. A hash that is right, and was made at another cost than the settings say, is replaced.
 *
 * @throws {ProblemError} `too_many_attempts`, {HashQueueFull}, the driver's error if the database is away
 */
export type VerifyPassword = (
  email: string,
  password: string,
  signal: AbortSignal,
) => Promise<Omit<PasswordHolder, "passwordHash"> | undefined>;

/** Compared with where there is no user, so that it costs the same. No password matches it by intent. */
const STAND_IN = "the password of nobody";

export const createVerifyPassword = ({ db, hasher, cost }: VerifyDeps): VerifyPassword => {
  let standIn: Promise<string> | undefined;
  const hashOfNobody = (): Promise<string> => {
    standIn ??= hasher.hash(STAND_IN).catch((error: unknown) => {
      standIn = undefined;
      throw error;
    });
    return standIn;
  };

  return async (email, password, signal) => {
    const emailKey = comparisonKey(email);
    const nobodys = await hashOfNobody();
    const attempt = await countPasswordAttempt(db, emailKey);
    if (attempt.kind === "too_many") {
      const seconds = String(Math.max(1, Math.ceil(attempt.retryAfterMs / 1_000)));
      throw new ProblemError("too_many_attempts", { headers: { "Retry-After": seconds } });
    }
    const { user } = attempt;
    const matches = await hasher.verify(password, user?.passwordHash ?? nobodys, { signal });
    if (user === undefined || !matches) return undefined;
    const { userId, passwordHash, isVerified } = user;
    await forgetPasswordAttempts(db, emailKey);
    if (isOutdated(passwordHash, cost)) {
      await replacePasswordHash(db, { userId, from: passwordHash, to: await hasher.hash(password, { signal }) });
    }
    return { userId, isVerified };
  };
};
