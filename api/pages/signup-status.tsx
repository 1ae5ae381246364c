import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { EventStatusAnswer } from "../status/event-status.ts";
import { Layout } from "./layout.tsx";
import { formatTime, TEXTS, type Texts } from "./texts.ts";

export interface SignupStatusProps {
  readonly language: Locale;
  readonly brandName: string;
  readonly status: EventStatusAnswer;
  /** The person may turn off reloading (WCAG 2.2.1). */
  readonly updates: "on" | "off";
}

const REFRESH_S = 2;

const toneOf = ({ state, final }: EventStatusAnswer): string => {
  if (state === "sent" || state === "done") return "state good";
  return final ? "state bad" : "state";
};

const Time = ({ iso, texts }: { readonly iso: string; readonly texts: Texts }) => (
  <time datetime={iso}>{formatTime(iso, texts)}</time>
);

const Updates = ({
  path,
  texts,
  updates,
}: {
  readonly path: string;
  readonly texts: Texts;
  readonly updates: "on" | "off";
}) =>
  updates === "on" ? (
    <footer>
      <span>{texts.updatesItself}</span>
      <a href={`${path}&updates=off`}>{texts.stopUpdates}</a>
    </footer>
  ) : (
    <footer>
      <a href={path}>{texts.resumeUpdates}</a>
    </footer>
  );

/** The status of one signup's mail. Shows no name and no address: the link may be shared. */
export const SignupStatus = ({ language, brandName, status, updates }: SignupStatusProps) => {
  const texts = TEXTS[language];
  const path = `/signups/${status.event_id}`;
  return (
    <Layout
      language={language}
      brandName={brandName}
      title={texts.mailTitle}
      path={path}
      refreshS={status.final || updates === "off" ? undefined : REFRESH_S}
    >
      <div class="card">
        <h1>{texts.accountMade}</h1>
        <p class={toneOf(status)} role="status">
          {texts.states[status.state]}
        </p>
        {status.next_try_at === null ? null : (
          <dl>
            <dt>{texts.nextTry}</dt>
            <dd>
              <Time iso={status.next_try_at} texts={texts} />
            </dd>
          </dl>
        )}
        <h2>{texts.timeline}</h2>
        <ol>
          {status.timeline.map((step) => (
            <li class="step">
              <span>{texts.steps[step.state]}</span>
              <Time iso={step.at} texts={texts} />
            </li>
          ))}
        </ol>
      </div>
      {status.final ? null : <Updates path={`${path}?lang=${language}`} texts={texts} updates={updates} />}
    </Layout>
  );
};
