import { comparisonKey } from "../../database/comparison-key.ts";
import type { Database } from "../../database/connection.ts";
import { createPasswordAttempts, type PasswordHolder } from "../../database/users/password-attempts.ts";
import type { Logger } from "../../observability/logger.ts";
import { ProblemError } from "../problem.ts";
import type { PasswordHasher } from "./hasher.ts";
import { type HashCost, isOutdated } from "./outdated.ts";

export interface VerifyDeps {
  readonly db: Database;
  readonly hasher: PasswordHasher;
  readonly cost: HashCost;
  readonly log: Logger;
}

/** What is presented. */
export interface PresentedPassword {
  readonly email: string;
  readonly password: string;
  /** Of the person, as the caller knows it; undefined: the caller does not say. */
  readonly client: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Whether a password is that of the user who has an address; undefined: it is not, or nobody has the address, or its owner has
 * disowned the account, which all takes the same time. A hash that is right, and was made at another cost than the settings say, is
 * replaced, unless passwords are waiting: it can be at another time, and signups come first.
 *
 * @throws {ProblemError} `too_many_attempts`, {HashQueueFull}, the driver's error if the database is away
 */
export type VerifyPassword = (
  presented: PresentedPassword,
) => Promise<Pick<PasswordHolder, "userId" | "isVerified"> | undefined>;

/** The client of hashes that are replaced, in the queue. */
const UPGRADES = "upgrades";

/** Compared with where there is no user, so that it costs the same. No password matches it by intent. */
const STAND_IN = "the password of nobody";

export const createVerifyPassword = ({ db, hasher, cost, log }: VerifyDeps): VerifyPassword => {
  const attempts = createPasswordAttempts(db);
  let isReplacing = false;
  let standIn: Promise<string> | undefined;
  const hashOfNobody = (): Promise<string> => {
    standIn ??= hasher.hash(STAND_IN).catch((error: unknown) => {
      standIn = undefined;
      throw error;
    });
    return standIn;
  };

  /** One at a time, while nobody waits. Whoever presents the password has the answer whatever becomes of it. */
  const replaceHash = async (userId: string, from: string, { password, signal }: PresentedPassword): Promise<void> => {
    if (isReplacing || hasher.waiting() > 0) return;
    isReplacing = true;
    try {
      await attempts.replaceHash({ userId, from, to: await hasher.hash(password, { client: UPGRADES, signal }) });
    } catch (error) {
      log.warn({ error }, "an outdated password hash was not replaced; the next time that the password is presented");
    } finally {
      isReplacing = false;
    }
  };

  return async (presented) => {
    const { email, password, client, signal } = presented;
    const presenter = { emailKey: comparisonKey(email), client };
    const nobodys = await hashOfNobody();
    const attempt = await attempts.count(presenter);
    if (attempt.kind === "too_many") {
      const seconds = String(Math.max(1, Math.ceil(attempt.retryAfterMs / 1_000)));
      throw new ProblemError("too_many_attempts", { headers: { "Retry-After": seconds } });
    }
    const { user } = attempt;
    const caller = client === undefined ? { signal } : { client, signal };
    const matches = await hasher.verify(password, user?.passwordHash ?? nobodys, caller);
    if (user === undefined || !matches || user.isDisowned) return undefined;
    const { userId, passwordHash, isVerified } = user;
    await attempts.forgive(presenter);
    if (isOutdated(passwordHash, cost)) await replaceHash(userId, passwordHash, presented);
    return { userId, isVerified };
  };
};
