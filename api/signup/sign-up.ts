import { comparisonKey, nameKey } from "../../database/comparison-key.ts";
import type { LoggedEvent } from "../../database/events.ts";
import type { KeyedSignup } from "../../database/users/idempotency-keys.ts";
import type { SignupResult, SignupWriter } from "../../database/users/signup.ts";
import { userSignedUp } from "../../stream/events/user-signed-up.ts";
import type { PasswordHasher } from "../passwords/hasher.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import type { SignUp, SignupOutcome, SignupRequest } from "./contract.ts";
import { createSharing } from "./in-flight.ts";

export interface SignUpDeps {
  readonly signups: SignupWriter;
  readonly hasher: PasswordHasher;
  /** Sends the event to Redis, without waiting for it. Never rejects. */
  readonly afterCommit: (event: LoggedEvent) => Promise<void>;
  /** UUIDv7 */
  readonly newId: () => string;
  /** The signup made under a key within the last 24 hours. */
  readonly findByIdempotencyKey: (keyHash: string) => Promise<KeyedSignup | undefined>;
}

type WriteResult = SignupOutcome | Extract<SignupResult, { kind: "idempotency_key_used" }>;

const MAX_ROUNDS = 3;
const CONTENTION_RETRY_MS = 1_000;

/**
 * Makes signups: the same function for the API and for the page. Once it has resolved as accepted, user, event, deliveries
 * and outbox row are on Postgres' disk.
 *
 * @throws {HashQueueFull}, {ProblemError} `too_busy`, the driver's error if the database is away
 */
export const createSignUp = (deps: SignUpDeps): SignUp => {
  const { signups, hasher, afterCommit, newId, findByIdempotencyKey } = deps;
  const share = createSharing();

  const write = async (request: SignupRequest, passwordHash: string): Promise<WriteResult> => {
    const { user_name: userName, email, locale } = request.input;
    const userId = newId();
    const eventId = newId();
    const keyHash = request.idempotencyKeyHash;
    const { traceparent, tracestate } = request.trace;
    const event = userSignedUp({ userId, locale });
    const result = await signups.write({
      userId,
      event: { eventId, type: event.type, subject: event.subject, data: event.data, traceparent, tracestate },
      userName,
      userNameKey: nameKey(userName),
      email,
      emailKey: comparisonKey(email),
      passwordHash,
      locale,
      idempotencyKeyHash: keyHash,
    });
    if (result.kind !== "created") return result;
    const { createdAt } = result;
    // The address may be known: then its owner is told, and the caller is not.
    const { type, subject, data } = result.event ?? event;
    await afterCommit({
      event_id: eventId,
      type,
      subject,
      data,
      traceparent,
      tracestate: tracestate ?? null,
      created_at: createdAt,
    });
    const signup = { userId, eventId, userName, email, locale, createdAt, isVerified: false };
    return { kind: "accepted", replayed: false, signup };
  };

  /** No fast hash of the body is kept, for the password is in it: the parts are compared, the password by argon2. */
  const replay = async (stored: KeyedSignup, request: SignupRequest): Promise<SignupOutcome> => {
    const { input } = request;
    const { userId, eventId, userName, email, createdAt, isVerified } = stored;
    const isSame =
      userName === input.user_name &&
      email === input.email &&
      stored.locale === input.locale &&
      (await hasher.verify(input.password, stored.passwordHash, request));
    if (!isSame) return { kind: "idempotency_key_reused" };
    return {
      kind: "accepted",
      replayed: true,
      signup: { userId, eventId, userName, email, locale: input.locale, createdAt, isVerified },
    };
  };

  const hashFor = (request: SignupRequest): Promise<string> => {
    const hashing = hasher.hash(request.input.password, request);
    if (request.confirm === undefined) return hashing;
    return Promise.all([hashing, request.confirm()]).then(([passwordHash]) => passwordHash);
  };

  const signUpUnderKey = async (request: SignupRequest, keyHash: string): Promise<SignupOutcome> => {
    await request.confirm?.();
    const earlier = await findByIdempotencyKey(keyHash);
    if (earlier !== undefined) return replay(earlier, request);
    const passwordHash = await hashFor(request);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const result = await write(request, passwordHash);
      if (result.kind !== "idempotency_key_used") return result;
      // Another process was quicker. If its row is gone by now, the key is free again.
      const winner = await findByIdempotencyKey(keyHash);
      if (winner !== undefined) return replay(winner, request);
    }
    throw new ProblemError("too_busy", { headers: retryAfter(CONTENTION_RETRY_MS) });
  };

  return async (request) => {
    const keyHash = request.idempotencyKeyHash;
    if (keyHash !== undefined) return share(keyHash, request, () => signUpUnderKey(request, keyHash));
    const result = await write(request, await hashFor(request));
    if (result.kind === "idempotency_key_used") throw new Error("a signup without a key met one");
    return result;
  };
};
