import type { Locale } from "../../stream/events/user-signed-up.ts";
import { Layout } from "./layout.tsx";
import { TEXTS } from "./texts.ts";

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
}

const Field = ({ name, label, type, autocomplete, hint, value, faults }: FieldProps) => {
  const own = faults.filter((fault) => fault.field === name);
  const described = [hint === undefined ? "" : `${name}-hint`, own.length > 0 ? `${name}-fault` : ""].filter(Boolean);
  return (
    <>
      <label for={name}>{label}</label>
      {hint === undefined ? null : (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      <input
        id={name}
        name={name}
        type={type}
        value={value}
        required
        autocomplete={autocomplete}
        spellcheck={false}
        autocapitalize="none"
        aria-invalid={own.length > 0 ? "true" : undefined}
        aria-describedby={described.length > 0 ? described.join(" ") : undefined}
      />
      {own.length > 0 ? (
        <p class="fault" id={`${name}-fault`}>
          {own.map((fault) => fault.detail).join(" ")}
        </p>
      ) : null}
    </>
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

/** The signup page. Works without JavaScript; the server validates, and returns what was typed except the password. */
export const SignupForm = (props: SignupFormProps) => {
  const { language, brandName, formId, userName, email, faults = [], problem } = props;
  const texts = TEXTS[language];
  return (
    <Layout language={language} brandName={brandName} title={texts.signUp} path="/">
      <div class="card">
        <h1>{texts.signUp}</h1>
        <p class="soft">{texts.lead}</p>
        {problem === undefined ? null : (
          <p class="alert" role="alert">
            {problem}
          </p>
        )}
        {faults.length > 0 ? <Faults intro={texts.fixErrors} faults={faults} /> : null}
        <form method="post" action={`/?lang=${language}`}>
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
          />
          <button type="submit">{texts.submit}</button>
        </form>
      </div>
    </Layout>
  );
};
