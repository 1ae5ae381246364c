import type { Context, Handler } from "hono";
import type { TraceContext } from "../../observability/trace-context.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { Admit } from "../admission/admission.ts";
import type { ReportError } from "../errors.ts";
import { languageOf } from "../language.ts";
import type { FieldFault, ProblemError } from "../problem.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { readText, requireForm } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import type { SignUp, SignupOutcome } from "../signup/contract.ts";
import { idempotencyKeyHash } from "../signup/idempotency-key.ts";
import type { ParseSignup, SignupInput } from "../signup/schema.ts";
import { rememberAddress } from "./masked-address.ts";
import { page } from "./render.ts";
import { type FormFault, SignupForm } from "./signup-form.tsx";

export interface SignupPageDeps {
  readonly parseSignup: ParseSignup;
  readonly signUp: SignUp;
  readonly admit: Admit;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  readonly report: ReportError;
  readonly newId: () => string;
  readonly newTraceContext: () => TraceContext;
  readonly brandName: string;
  /** Whether browsers come by https: behind a proxy that terminates TLS, the request does not say so. */
  readonly isSecure: boolean;
  /** The address of the page's script. */
  readonly script: string;
}

/** `GET /` */
export const showForm =
  ({ brandName, newId, script }: SignupPageDeps): Handler =>
  (c) =>
    page(c, <SignupForm language={languageOf(c)} brandName={brandName} formId={newId()} script={script} />);

/** Fields that the form did not send are absent, as they would be in JSON. */
const typedFields = (body: string): Readonly<Record<string, string>> => Object.fromEntries(new URLSearchParams(body));

const FIELDS = ["user_name", "email", "password"] as const;

const toFormFaults = (faults: readonly FieldFault[], language: Locale): FormFault[] =>
  faults.flatMap(({ pointer, detail }) =>
    FIELDS.filter((field) => pointer === `#/${field}`).map((field) => ({ field, detail: detail[language] })),
  );

const TAKEN = { email_taken: "email", user_name_taken: "user_name" } as const;

/**
 * `POST /`: the same validation and signup as the API's; 303 to the mail's status, or the form again, with what was typed
 * (never the password) and each fault beside its field.
 */
export const submitForm = (deps: SignupPageDeps): Handler => {
  const { parseSignup, signUp, admit, clientOf, report, newId, newTraceContext, brandName, isSecure, script } = deps;

  /** The form's id makes a second click harmless, also after a fault: the signup may have been made. The same form with other contents is a new signup. */
  const signUpOnce = async (c: Context, client: string, input: SignupInput, formId: string): Promise<SignupOutcome> => {
    const keyHash = idempotencyKeyHash(`form:${formId}`);
    const { confirm } = await admit({ client, email: input.email, idempotencyKeyHash: keyHash });
    const request = { input, client, confirm, trace: traceOf(c, newTraceContext), signal: c.req.raw.signal };
    const outcome = await signUp({ ...request, idempotencyKeyHash: keyHash });
    return outcome.kind === "idempotency_key_reused" ? signUp(request) : outcome;
  };

  return async (c) => {
    const client = clientOf(c.req.raw);
    const language = languageOf(c);
    let typed: Readonly<Record<string, string>> = {};
    const again = (problem: ProblemError | undefined, faults: readonly FormFault[]): Promise<Response> =>
      page(
        c,
        <SignupForm
          language={language}
          brandName={brandName}
          formId={problem === undefined ? newId() : typed["form_id"] || newId()}
          script={script}
          userName={typed["user_name"] ?? ""}
          email={typed["email"] ?? ""}
          faults={faults}
          problem={problem === undefined ? undefined : PROBLEM_TYPES[problem.code][language]}
        />,
        problem === undefined ? 422 : PROBLEM_TYPES[problem.code].status,
        problem?.headers,
      );

    try {
      requireForm(c.req.header("content-type"));
      typed = typedFields(await readText(c, "bad_request"));
      const parsed = parseSignup(typed);
      if (parsed.kind === "invalid") return again(undefined, toFormFaults(parsed.faults, language));
      const outcome = await signUpOnce(c, client, parsed.input, typed["form_id"] || newId());
      if (outcome.kind === "accepted") {
        const { eventId } = outcome.signup;
        rememberAddress(c, { eventId, email: parsed.input.email, isSecure });
        return c.redirect(`/signups/${eventId}?lang=${language}`, 303);
      }
      if (outcome.kind === "idempotency_key_reused") throw new Error("a signup without a key met one");
      return again(undefined, [{ field: TAKEN[outcome.kind], detail: PROBLEM_TYPES[outcome.kind][language] }]);
    } catch (error) {
      if (c.req.raw.signal.aborted) throw error;
      return again(report(error, c), []);
    }
  };
};
