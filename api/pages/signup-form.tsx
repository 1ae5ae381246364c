import { raw } from "hono/html";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import { faultText } from "../faults.ts";
import { stampSvg } from "./art/stamp.ts";
import { TERRACES } from "./art/terraces.ts";
import { CHECKED_WHILE_TYPING, type PageWords } from "./browser/checks.ts";
import { Layout } from "./layout.tsx";
import { TEXTS, type Texts } from "./texts.ts";

/** A message shown beside a field. */
export interface FormFault {
  readonly field: "user_name" | "email" | "password";
  readonly detail: string;
}

export interface SignupFormProps {
  readonly language: Locale;
  readonly brandName: string;
  /** Serves as the Idempotency-Key: a form that is submitted twice creates one user. */
  readonly formId: string;
  /** The address of the script that checks while one types. */
  readonly script: string;
  /** As it was typed. */
  readonly userName?: string;
  readonly email?: string;
  readonly faults?: readonly FormFault[];
  /** A problem that no field is at fault for. */
  readonly problem?: string | undefined;
}

interface FieldProps {
  readonly name: FormFault["field"];
  readonly label: string;
  readonly type: "text" | "email" | "password";
  readonly autocomplete: string;
  readonly hint?: string;
  readonly value?: string | undefined;
  readonly faults: readonly FormFault[];
  /** The button that shows the password; hidden until the script can. */
  readonly shows?: string;
}

const Field = ({ name, label, type, autocomplete, hint, value, faults, shows }: FieldProps) => {
  const own = faults.filter((fault) => fault.field === name);
  const described = [hint === undefined ? "" : `${name}-hint`, own.length > 0 ? `${name}-fault` : ""].filter(Boolean);
  return (
    <div class="field">
      <div class="beside">
        <label for={name}>{label}</label>
        {shows === undefined ? null : (
          <button type="button" class="link" id="show-password" aria-pressed="false" aria-controls={name} hidden>
            {shows}
          </button>
        )}
      </div>
      <input
        id={name}
        name={name}
        type={type}
        value={value}
        required
        autocomplete={autocomplete}
        spellcheck={false}
        autocapitalize="none"
        // The first fault: a person need not look for it, with or without a script.
        autofocus={own.length > 0 && own[0] === faults[0] ? true : undefined}
        aria-invalid={own.length > 0 ? "true" : undefined}
        aria-describedby={described.length > 0 ? described.join(" ") : undefined}
      />
      {hint === undefined ? null : (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {own.length > 0 ? (
        <p class="fault" id={`${name}-fault`}>
          {own.map((fault) => fault.detail).join(" ")}
        </p>
      ) : null}
    </div>
  );
};

const Faults = ({ intro, faults }: { readonly intro: string; readonly faults: readonly FormFault[] }) => (
  <div class="alert" role="alert">
    {intro}
    <ul>
      {faults.map((fault) => (
        <li>
          <a href={`#${fault.field}`}>{fault.detail}</a>
        </li>
      ))}
    </ul>
  </div>
);

/** The words that the page's script needs: those of the server. */
const pageWords = (language: Locale, texts: Texts, brandName: string): string => {
  const words: PageWords = {
    brandName,
    faults: Object.fromEntries(CHECKED_WHILE_TYPING.map((code) => [code, faultText(code, language)])),
    rules: texts.rules,
    didYouMean: texts.didYouMean,
    show: texts.showPassword,
    hide: texts.hidePassword,
    submit: texts.submit,
    submitting: texts.submitting,
    errorPrefix: texts.errorPrefix,
  };
  return JSON.stringify(words);
};

/** The signup page. Works without JavaScript; the server validates, and returns what was typed except the password. */
export const SignupForm = (props: SignupFormProps) => {
  const { language, brandName, formId, script, userName, email, faults = [], problem } = props;
  const texts = TEXTS[language];
  const isFaulty = faults.length > 0 || problem !== undefined;
  return (
    <Layout
      language={language}
      brandName={brandName}
      title={`${isFaulty ? texts.errorPrefix : ""}${texts.signUp}`}
      path="/"
      script={script}
      isWide
    >
      <div class="card postcard">
        <div class="view">{raw(TERRACES)}</div>
        <div class="inside">
          {raw(stampSvg())}
          <h1>{texts.signUp}</h1>
          <p class="soft">{texts.lead}</p>
          {problem === undefined ? null : (
            <p class="alert" role="alert">
              {problem}
            </p>
          )}
          {faults.length > 0 ? <Faults intro={texts.fixErrors} faults={faults} /> : null}
          <form method="post" action={`/?lang=${language}`} data-words={pageWords(language, texts, brandName)}>
            <input type="hidden" name="form_id" value={formId} />
            <input type="hidden" name="locale" value={language} />
            <Field
              name="user_name"
              label={texts.userName}
              type="text"
              autocomplete="username"
              hint={texts.userNameHint}
              value={userName}
              faults={faults}
            />
            <Field name="email" label={texts.email} type="email" autocomplete="email" value={email} faults={faults} />
            <Field
              name="password"
              label={texts.password}
              type="password"
              autocomplete="new-password"
              hint={texts.passwordHint}
              faults={faults}
              shows={texts.showPassword}
            />
            <button type="submit">{texts.submit}</button>
          </form>
        </div>
      </div>
    </Layout>
  );
};
