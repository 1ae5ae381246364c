import type { TraceContext } from "../../observability/trace-context.ts";
import type { Admit } from "../admission/admission.ts";
import { siteOf } from "../client/client.ts";
import { ProblemError } from "../problem.ts";
import { type SignupAnswer, toSignupAnswer } from "./answer.ts";
import type { SignUp, SignupRequest } from "./contract.ts";
import type { ParseSignup, SignupInput } from "./schema.ts";

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

/** A class for its signal: a getter of each object would be a function of each. */
class AskedSignup implements SignupRequest {
  readonly #request: Request;
  readonly input: SignupInput;
  readonly client: string;
  readonly confirm: SignupRequest["confirm"];
  readonly idempotencyKeyHash: string | undefined;
  readonly trace: TraceContext;

  constructor(
    request: Request,
    input: SignupInput,
    client: string,
    confirm: SignupRequest["confirm"],
    idempotencyKeyHash: string | undefined,
    trace: TraceContext,
  ) {
    this.#request = request;
    this.input = input;
    this.client = client;
    this.confirm = confirm;
    this.idempotencyKeyHash = idempotencyKeyHash;
    this.trace = trace;
  }

  /** The server makes it when it is asked for, and only who waits in the queue of passwords asks. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}

/** What each answer has beside `Location`. */
export const EACH_HAS = { "Cache-Control": "no-store" } as const;

/** The answer to a signup that was made: 201. */
export interface Accepted {
  readonly answer: SignupAnswer;
  /** Headers that it has and most others have not: as long as they are the same, they are one object. */
  readonly more: Readonly<Record<string, string>>;
}

/** `Location`: the path of the mail's status. */
export const locationOf = ({ answer }: Accepted): string => answer.welcome_email.href;

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
    const admitted = admit({ client, email: input.email, idempotencyKeyHash });
    const { headers, confirm } = admitted instanceof Promise ? await admitted : admitted;
    const outcome = await signUp(new AskedSignup(request, input, siteOf(client), confirm, idempotencyKeyHash, trace));
    if (outcome.kind !== "accepted") throw new ProblemError(outcome.kind);
    const more = outcome.replayed ? { ...headers, "Idempotent-Replayed": "true" } : headers;
    return { answer: toSignupAnswer(outcome.signup), more };
  };
