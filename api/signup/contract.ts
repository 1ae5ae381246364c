import type { TraceContext } from "../../observability/trace-context.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { SignupInput } from "./schema.ts";

/** A signup as its caller asks for it, in valid form. */
export interface SignupRequest {
  readonly input: SignupInput;
  /** Whom the request is from, as a key. */
  readonly client: string;
  /** Resolves when the request is admitted by all processes; rejects if it is not. Nothing is read or written before. Undefined: it is. */
  readonly confirm: (() => Promise<void>) | undefined;
  /** SHA-256 of the client's Idempotency-Key, in hex. */
  readonly idempotencyKeyHash?: string | undefined;
  readonly trace: TraceContext;
  /** Aborted when the client went away. */
  readonly signal: AbortSignal;
}

/** A user that is on Postgres' disk, with the event that was written beside it. */
export interface AcceptedSignup {
  readonly userId: string;
  readonly eventId: string;
  readonly userName: string;
  readonly email: string;
  readonly locale: Locale;
  readonly createdAt: Date;
  /** Whether the address is confirmed: a repeated request may come later. */
  readonly isVerified: boolean;
}

/** How a signup ends. A store that is away rejects instead. */
export type SignupOutcome =
  /** `replayed`: an earlier request under the same key made it. */
  | { readonly kind: "accepted"; readonly signup: AcceptedSignup; readonly replayed: boolean }
  | { readonly kind: "email_taken" | "user_name_taken" | "idempotency_key_reused" };

export type SignUp = (request: SignupRequest) => Promise<SignupOutcome>;
