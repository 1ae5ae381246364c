import { NotFound } from "../../../ops/actions/operator.ts";
import {
  LOCALES,
  MAIL_KINDS,
  type MailSample,
  NotSent,
  previewMail,
  sendTestMail,
} from "../../../ops/actions/preview-mail.ts";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";

export const MAILS_PATH = "/console/act/mails";

type Parts = Pick<ConsoleParts, "settings" | "newId" | "now">;

const LANGUAGES = { vi: "Vietnamese", en: "English" };
const SAMPLE_NAME = "Minh";

/** The mail that the address names. */
const sampleOf = ({ c }: Visit): MailSample => {
  const kind = MAIL_KINDS.find((each) => each === c.req.param("kind"));
  const locale = LOCALES.find((each) => each === c.req.param("locale"));
  if (kind === undefined || locale === undefined) throw new NotFound("There is no such mail.");
  return { kind, locale, userName: SAMPLE_NAME };
};

const hrefOf = ({ kind, locale }: Pick<MailSample, "kind" | "locale">): string => `${MAILS_PATH}/${kind}/${locale}`;

/** Every mail, in each language. */
export const showMails: VisitHandler = (visit) =>
  visit.page({
    title: "Mails",
    children: (
      <>
        <h1>Mails</h1>
        <p class="soft">
          With a person and links that are made up. One of them is sent to your own address, if you ask for it there.
        </p>
        <ul class="tiles">
          {MAIL_KINDS.map((kind) => (
            <li>
              <strong>{kind}</strong>
              <div class="row">
                {LOCALES.map((locale) => (
                  <a data-item href={hrefOf({ kind, locale })} aria-label={`${kind}, ${LANGUAGES[locale]}`}>
                    {LANGUAGES[locale]}
                  </a>
                ))}
              </div>
            </li>
          ))}
        </ul>
      </>
    ),
  });

const mailPage = (
  visit: Visit,
  { settings }: Parts,
  sample: MailSample,
  said?: { readonly words: string; readonly isFault: boolean },
) => {
  const { subject, text } = previewMail(sample, settings);
  return visit.page({
    title: `${sample.kind}, ${LANGUAGES[sample.locale]}`,
    status: said?.isFault === true ? 502 : 200,
    children: (
      <>
        <h1>{`${sample.kind}, ${LANGUAGES[sample.locale]}`}</h1>
        {said === undefined ? null : (
          <p class={said.isFault ? "alert" : "card"} role="status">
            {said.words}
          </p>
        )}
        <p class="bar">
          <a href={MAILS_PATH}>All mails</a>
          <a href={`${hrefOf(sample)}/html`}>As HTML</a>
        </p>
        <div class="card">
          <dl>
            <dt>Subject</dt>
            <dd lang={sample.locale}>{subject}</dd>
          </dl>
          <pre lang={sample.locale} class="mail">
            {text}
          </pre>
        </div>
        {visit.session.role === "operator" ? (
          <form method="post" action={hrefOf(sample)}>
            <FormToken session={visit.session} />
            <label>
              Your own address
              <br />
              <input type="email" name="to" autocomplete="email" required />
            </label>
            <p class="hint">It is sent once, by the mail server of this process; its links open nothing.</p>
            <p>
              <button type="submit">Send it to me</button>
            </p>
          </form>
        ) : null}
      </>
    ),
  });
};

/** One mail: its subject and text, and a form to have it sent. */
export const showMail =
  (parts: Parts): VisitHandler =>
  (visit) =>
    mailPage(visit, parts, sampleOf(visit));

/** The HTML of a mail, as an inbox shows it: without the console around it. */
export const showMailHtml =
  ({ settings }: Parts): VisitHandler =>
  (visit) =>
    visit.c.html(previewMail(sampleOf(visit), settings).html);

/** Sends a mail to the operator's own address. */
export const sendMail =
  (parts: Parts): VisitHandler =>
  async (visit) => {
    const sample = sampleOf(visit);
    const { newId, now, settings } = parts;
    try {
      const to = visit.form.get("to") ?? "";
      const reply = await sendTestMail(visit.operator(), { ...sample, to, newId, now }, settings);
      return mailPage(visit, parts, sample, { words: `The mail server took it: ${reply}`, isFault: false });
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      return mailPage(visit, parts, sample, { words: `Not sent: ${error.message}`, isFault: true });
    }
  };
