import type { Context, Handler } from "hono";
import { raw } from "hono/html";
import type { TraceContext } from "../../observability/trace-context.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { Admit } from "../admission/admission.ts";
import type { Resend } from "../confirmation/resend.ts";
import { parseResend } from "../confirmation/resend-route.ts";
import type { ReportError } from "../errors.ts";
import { languageOf } from "../language.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { readText, requireForm } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import { stampSvg } from "./art/stamp.ts";
import { CONFIRMATION_TEXTS } from "./confirmation-texts.ts";
import { Layout } from "./layout.tsx";
import { Message } from "./message.tsx";
import { page } from "./render.ts";
import { TEXTS } from "./texts.ts";

export interface ResendPageDeps {
  readonly resend: Resend;
  readonly admit: Admit;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  readonly report: ReportError;
  readonly newTraceContext: () => TraceContext;
  readonly brandName: string;
}

interface ResendFormProps {
  readonly language: Locale;
  readonly brandName: string;
  /** As it was typed. */
  readonly email?: string | undefined;
  readonly problem?: string | undefined;
}

const ResendForm = ({ language, brandName, email, problem }: ResendFormProps) => {
  const texts = CONFIRMATION_TEXTS[language];
  return (
    <Layout
      language={language}
      brandName={brandName}
      title={`${problem === undefined ? "" : TEXTS[language].errorPrefix}${texts.resendTitle}`}
      path="/resend"
    >
      <div class="card envelope">
        <div class="inside">
          {raw(stampSvg())}
          <h1>{texts.resendTitle}</h1>
          <p class="soft">{texts.resendLead}</p>
          {problem === undefined ? null : (
            <p class="alert" role="alert" id="email-fault">
              {problem}
            </p>
          )}
          <form method="post" action={`/resend?lang=${language}`}>
            <label for="email">{TEXTS[language].email}</label>
            <input
              id="email"
              name="email"
              type="email"
              value={email}
              required
              autocomplete="email"
              spellcheck={false}
              autocapitalize="none"
              autofocus={problem === undefined ? undefined : true}
              aria-invalid={problem === undefined ? undefined : "true"}
              aria-describedby={problem === undefined ? undefined : "email-fault"}
            />
            <button type="submit">{texts.resendSubmit}</button>
          </form>
        </div>
      </div>
    </Layout>
  );
};

/** `GET /resend` */
export const showResend =
  ({ brandName }: ResendPageDeps): Handler =>
  (c) =>
    page(c, <ResendForm language={languageOf(c)} brandName={brandName} />);

/** `POST /resend`: the same as the API's, with the same answer whoever has the address. */
export const submitResend = (deps: ResendPageDeps): Handler => {
  const { resend, admit, clientOf, report, newTraceContext, brandName } = deps;
  return async (c: Context) => {
    const client = clientOf(c.req.raw);
    const language = languageOf(c);
    let email: string | undefined;
    try {
      requireForm(c.req.header("content-type"));
      email = new URLSearchParams(await readText(c, "bad_request")).get("email") ?? "";
      const parsed = parseResend({ email });
      if (parsed.kind === "invalid") {
        const problem = parsed.faults.map(({ detail }) => detail[language]).join(" ");
        return page(c, <ResendForm language={language} brandName={brandName} email={email} problem={problem} />, 422);
      }
      await (await admit({ client, email: parsed.input.email })).confirm?.();
      await resend(parsed.input.email, traceOf(c, newTraceContext));
      const { title, text } = CONFIRMATION_TEXTS[language].resent;
      return page(
        c,
        <Message language={language} brandName={brandName} path="/resend" title={title} text={text} />,
        202,
      );
    } catch (error) {
      const { code, headers } = report(error, c);
      const problem = PROBLEM_TYPES[code];
      return page(
        c,
        <ResendForm language={language} brandName={brandName} email={email} problem={problem[language]} />,
        problem.status,
        headers,
      );
    }
  };
};
