import type { TraceContext } from "../../observability/trace-context.ts";
import type { Admit } from "../admission/admission.ts";
import { siteOf } from "../client/client.ts";
import { ProblemError } from "../problem.ts";
import { eventHref, type SignupAnswer, toSignupAnswer } from "./answer.ts";
import type { SignUp } from "./contract.ts";
import type { ParseSignup } from "./schema.ts";

/** A request to sign up, as far as it was read. */
export interface SentSignup {
  readonly request: Request;
  /** Whom the request is from, as a key. */
  readonly client: string;
  /** The JSON of its body. */
  readonly body: unknown;
  /** SHA-256 of the client's Idempotency-Key, in hex. */
  readonly idempotencyKeyHash?: string | undefined;
  readonly trace: TraceContext;
}

/** The answer to a signup that was made: 201. */
export interface Accepted {
  readonly answer: SignupAnswer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AcceptSignupDeps {
  readonly parseSignup: ParseSignup;
  readonly signUp: SignUp;
  readonly admit: Admit;
}

/**
 * Makes the signup that a body asks for, if that is valid and admitted.
 *
 * @throws {ProblemError} and what `SignUp` throws
 */
export type AcceptSignup = (sent: SentSignup) => Promise<Accepted>;

export const createAcceptSignup =
  ({ parseSignup, signUp, admit }: AcceptSignupDeps): AcceptSignup =>
  async ({ request, client, body, idempotencyKeyHash, trace }) => {
    const parsed = parseSignup(body);
    if (parsed.kind === "invalid") throw new ProblemError("validation_failed", { errors: parsed.faults });
    const { input } = parsed;
    const { headers, confirm } = await admit({ client, email: input.email, idempotencyKeyHash });
    const outcome = await signUp({
      input,
      client: siteOf(client),
      confirm,
      idempotencyKeyHash,
      trace,
      // The server makes a signal when it is asked for one, and only who waits in the queue of passwords does.
      get signal() {
        return request.signal;
      },
    });
    if (outcome.kind !== "accepted") throw new ProblemError(outcome.kind);
    return {
      answer: toSignupAnswer(outcome.signup),
      headers: {
        Location: eventHref(outcome.signup.eventId),
        "Cache-Control": "no-store",
        ...headers,
        ...(outcome.replayed ? { "Idempotent-Replayed": "true" } : {}),
      },
    };
  };
