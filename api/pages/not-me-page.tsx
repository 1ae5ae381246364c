import type { Context, Handler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { DisownAccount, DisownState } from "../disowning/disown-account.ts";
import type { ReportError } from "../errors.ts";
import { languageOf } from "../language.ts";
import { readText, requireForm } from "../read-body.ts";
import { Layout } from "./layout.tsx";
import { NOT_ME_TEXTS } from "./not-me-texts.ts";
import { orFailure } from "./or-failure.tsx";
import { page } from "./render.ts";

export interface NotMePageDeps {
  readonly disownAccount: DisownAccount;
  readonly report: ReportError;
  readonly brandName: string;
}

const STATUS: Readonly<Record<DisownState, ContentfulStatusCode>> = {
  open: 200,
  disowned: 200,
  disowned_before: 200,
  expired: 410,
  invalid: 400,
};

const answer = (c: Context, brandName: string, token: string, state: DisownState) => {
  const language = languageOf(c);
  const texts = NOT_ME_TEXTS[language];
  const { title, text } = texts.states[state];
  return page(
    c,
    <Layout language={language} brandName={brandName} title={title} path={`/not-me?token=${encodeURIComponent(token)}`}>
      <div class="card">
        <div class="inside">
          <h1>{title}</h1>
          <p role="status">{text}</p>
          {state === "open" ? (
            <form method="post" action={`/not-me?lang=${language}`}>
              <input type="hidden" name="token" value={token} />
              <button type="submit">{texts.submit}</button>
            </form>
          ) : null}
        </div>
      </div>
    </Layout>,
    STATUS[state],
  );
};

const failing = ({ report, brandName }: NotMePageDeps) => ({
  report,
  brandName,
  path: "/not-me",
  title: (language: keyof typeof NOT_ME_TEXTS) => NOT_ME_TEXTS[language].states.open.title,
});

/** `GET /not-me?token=…`: a button. Following the link changes nothing, because programs that scan mail do so, too. */
export const showNotMe = (deps: NotMePageDeps): Handler =>
  orFailure(failing(deps), async (c) => {
    const token = c.req.query("token") ?? "";
    return answer(c, deps.brandName, token, await deps.disownAccount.look(token));
  });

/**
 * `POST /not-me`: disowns the account. The token is all that it needs: there is no session that another site could abuse, so the
 * origin of the form does not matter.
 */
export const submitNotMe = (deps: NotMePageDeps): Handler =>
  orFailure(failing(deps), async (c) => {
    requireForm(c.req.header("content-type"));
    const token = new URLSearchParams(await readText(c, "bad_request")).get("token") ?? "";
    return answer(c, deps.brandName, token, await deps.disownAccount.disown(token));
  });
