import type { Context, Handler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { TraceContext } from "../../observability/trace-context.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { ConfirmAddress, LinkState } from "../confirmation/confirm-address.ts";
import type { ReportError } from "../errors.ts";
import { languageOf } from "../language.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { readText, requireForm } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import { CONFIRMATION_TEXTS } from "./confirmation-texts.ts";
import { Layout } from "./layout.tsx";
import { Message } from "./message.tsx";
import { page } from "./render.ts";

export interface ConfirmPageDeps {
  readonly confirmAddress: ConfirmAddress;
  readonly report: ReportError;
  readonly newTraceContext: () => TraceContext;
  readonly brandName: string;
}

const STATUS: Readonly<Record<LinkState, ContentfulStatusCode>> = {
  open: 200,
  confirmed: 200,
  confirmed_before: 200,
  expired: 410,
  invalid: 400,
};

interface ConfirmationProps {
  readonly language: Locale;
  readonly brandName: string;
  readonly token: string;
  readonly state: LinkState;
}

/** The token stays in the query and in the body, which are recorded in no trace. */
const pathOf = (token: string): string => `/confirm?token=${encodeURIComponent(token)}`;

const Confirmation = ({ language, brandName, token, state }: ConfirmationProps) => {
  const texts = CONFIRMATION_TEXTS[language];
  const { title, text } = texts.states[state];
  return (
    <Layout language={language} brandName={brandName} title={title} path={pathOf(token)}>
      <div class="card">
        <h1>{title}</h1>
        <p role="status">{text}</p>
        {state === "open" ? (
          <form method="post" action={`/confirm?lang=${language}`}>
            <input type="hidden" name="token" value={token} />
            <button type="submit">{texts.submit}</button>
          </form>
        ) : null}
        {state === "expired" || state === "invalid" ? <a href={`/resend?lang=${language}`}>{texts.askAgain}</a> : null}
      </div>
    </Layout>
  );
};

const answer = (c: Context, { brandName }: ConfirmPageDeps, token: string, state: LinkState) =>
  page(c, <Confirmation language={languageOf(c)} brandName={brandName} token={token} state={state} />, STATUS[state]);

/** A failure as a page, since a person reads it. */
const orFailure =
  (deps: ConfirmPageDeps, handler: (c: Context) => Promise<Response>): Handler =>
  async (c) => {
    try {
      return await handler(c);
    } catch (error) {
      const problem = deps.report(error, c);
      const language = languageOf(c);
      const { status, [language]: text } = PROBLEM_TYPES[problem.code];
      const { title } = CONFIRMATION_TEXTS[language].states.open;
      return page(
        c,
        <Message language={language} brandName={deps.brandName} path="/confirm" title={title} text={text} />,
        status,
        problem.headers,
      );
    }
  };

/** `GET /confirm?token=…`: a button. Following the link confirms nothing, because programs that scan mail do so, too. */
export const showConfirmation = (deps: ConfirmPageDeps): Handler =>
  orFailure(deps, async (c) => {
    const token = c.req.query("token") ?? "";
    return answer(c, deps, token, await deps.confirmAddress.look(token));
  });

/**
 * `POST /confirm`: confirms the address. The token is all that it needs: there is no session that another site could
 * abuse, so the origin of the form does not matter.
 */
export const submitConfirmation = (deps: ConfirmPageDeps): Handler =>
  orFailure(deps, async (c) => {
    requireForm(c.req.header("content-type"));
    const token = new URLSearchParams(await readText(c, "bad_request")).get("token") ?? "";
    return answer(c, deps, token, await deps.confirmAddress.confirm(token, traceOf(c, deps.newTraceContext)));
  });
