import type { Context, Handler } from "hono";
import { raw } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { TraceContext } from "../../observability/trace-context.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { ConfirmAddress, LinkState } from "../confirmation/confirm-address.ts";
import type { ReportError } from "../errors.ts";
import { languageOf } from "../language.ts";
import { readText, requireForm } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import { stampSvg } from "./art/stamp.ts";
import { CONFIRMATION_TEXTS } from "./confirmation-texts.ts";
import { Layout } from "./layout.tsx";
import { orFailure } from "./or-failure.tsx";
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
      <div class="card envelope">
        <div class="inside">
          {raw(stampSvg())}
          <h1>{title}</h1>
          <p role="status">{text}</p>
          {state === "open" ? (
            <form method="post" action={`/confirm?lang=${language}`}>
              <input type="hidden" name="token" value={token} />
              <button type="submit">{texts.submit}</button>
            </form>
          ) : null}
          {state === "expired" || state === "invalid" ? (
            <a href={`/resend?lang=${language}`}>{texts.askAgain}</a>
          ) : null}
        </div>
      </div>
    </Layout>
  );
};

const answer = (c: Context, { brandName }: ConfirmPageDeps, token: string, state: LinkState) =>
  page(c, <Confirmation language={languageOf(c)} brandName={brandName} token={token} state={state} />, STATUS[state]);

const failing = ({ report, brandName }: ConfirmPageDeps) => ({
  report,
  brandName,
  path: "/confirm",
  title: (language: Locale) => CONFIRMATION_TEXTS[language].states.open.title,
});

/** `GET /confirm?token=…`: a button. Following the link confirms nothing, because programs that scan mail do so, too. */
export const showConfirmation = (deps: ConfirmPageDeps): Handler =>
  orFailure(failing(deps), async (c) => {
    const token = c.req.query("token") ?? "";
    return answer(c, deps, token, await deps.confirmAddress.look(token));
  });

/**
 * `POST /confirm`: confirms the address. The token is all that it needs: there is no session that another site could
 * abuse, so the origin of the form does not matter.
 */
export const submitConfirmation = (deps: ConfirmPageDeps): Handler =>
  orFailure(failing(deps), async (c) => {
    requireForm(c.req.header("content-type"));
    const token = new URLSearchParams(await readText(c, "bad_request")).get("token") ?? "";
    return answer(c, deps, token, await deps.confirmAddress.confirm(token, traceOf(c, deps.newTraceContext)));
  });
