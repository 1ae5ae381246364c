import { raw } from "hono/html";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { EventStatusAnswer } from "../status/event-status.ts";
import { stampSvg } from "./art/stamp.ts";
import { durationText } from "./duration.ts";
import { Layout } from "./layout.tsx";
import { providerOf } from "./masked-address.ts";
import { type Disclosed, STATE_TEXTS } from "./state-texts.ts";
import { formatTime, TEXTS, type Texts } from "./texts.ts";

export interface SignupStatusProps {
  readonly language: Locale;
  readonly brandName: string;
  readonly disclosed: Disclosed;
  readonly status: EventStatusAnswer;
  /** Masked; undefined for whoever did not sign up in this browser. */
  readonly address: string | undefined;
  /** The address of the script that follows the mail. */
  readonly script: string;
  /** The person may turn off reloading (WCAG 2.2.1). */
  readonly updates: "on" | "off";
}

const REFRESH_S = 2;
/** As long as `POST /resend` sends no second mail. */
const RESEND_AFTER_MS = 60_000;

type Tone = "waiting" | "good" | "bad";

const toneOf = ({ state, final }: EventStatusAnswer): Tone => {
  if (state === "sent" || state === "done") return "good";
  return final ? "bad" : "waiting";
};

const Time = ({ iso, texts }: { readonly iso: string; readonly texts: Texts }) => (
  <time datetime={iso}>{formatTime(iso, texts)}</time>
);

const isoMs = (iso: string): number => Date.parse(iso);

/** A duration that the page's script keeps counting; without it, what it was when the page was made is not said. */
const Counting = ({ from, around }: { readonly from: string; readonly around: readonly [string, string] }) => (
  <span data-since={from} data-before={around[0]} data-after={around[1]}></span>
);

const Journey = ({
  status,
  language,
  steps,
}: Pick<SignupStatusProps, "status" | "language"> & { steps: StepTexts }) => {
  const texts = TEXTS[language];
  const start = status.timeline[0]?.at ?? status.created_at;
  const [before, after] = texts.after;
  return (
    <ol class="steps" id="steps">
      {status.timeline.map(({ at, state }, index) => (
        <li>
          <span>{steps[state]}</span>
          {index === 0 ? (
            <Time iso={at} texts={texts} />
          ) : (
            <time class="after" datetime={at} data-keep>
              {`${before}${durationText(isoMs(at) - isoMs(start), language)}${after}`}
            </time>
          )}
        </li>
      ))}
    </ol>
  );
};

type StepTexts = (typeof STATE_TEXTS)[Disclosed][Locale]["steps"];

const Next = ({ status, language, address }: Pick<SignupStatusProps, "status" | "language" | "address">) => {
  const texts = TEXTS[language];
  const provider = address === undefined ? undefined : providerOf(address);
  const sent = toneOf(status) === "good";
  return (
    <section class="next" id="next">
      <h2>{texts.nextSteps}</h2>
      {provider !== undefined && sent ? (
        <a class="button" href={provider.href} rel="noopener noreferrer">
          {texts.openInbox(provider.name)}
        </a>
      ) : null}
      <ul>
        {provider === undefined && sent ? <li>{texts.openAnyInbox}</li> : null}
        {sent ? <li>{texts.lookInSpam}</li> : null}
        <li data-until={new Date(isoMs(status.created_at) + RESEND_AFTER_MS).toISOString()}>
          <span class="later" hidden>
            {texts.resendSoon} <span class="left"></span>
          </span>
          <a href={`/resend?lang=${language}`}>{texts.resend}</a>
        </li>
        <li>
          {texts.wrongAddress} <a href={`/?lang=${language}`}>{texts.signUpAgain}</a>
        </li>
      </ul>
    </section>
  );
};

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

/** The status of one signup's mail. Of name and address it shows nobody more than they have typed in this browser: the link may be shared. */
export const SignupStatus = (props: SignupStatusProps) => {
  const { language, brandName, disclosed, status, address, script, updates } = props;
  const texts = TEXTS[language];
  const { heading, title, states, steps } = STATE_TEXTS[disclosed][language];
  const path = `/signups/${status.event_id}`;
  const tone = toneOf(status);
  const isLive = !status.final && updates === "on";
  const last = status.timeline.at(-1)?.at ?? status.updated_at;
  return (
    <Layout
      language={language}
      brandName={brandName}
      title={`${steps[status.state]} · ${title}`}
      path={path}
      refreshS={isLive ? REFRESH_S : undefined}
      script={script}
    >
      <div
        class={`card envelope ${tone}`}
        id="mail"
        data-stream={isLive ? `/api/v1/events/${status.event_id}/stream` : undefined}
      >
        <div class="inside">
          <div id="stamp">{raw(stampSvg(tone === "good" ? { at: last, timeZone: texts.timeZone } : undefined))}</div>
          <h1>{heading}</h1>
          {address === undefined ? null : (
            <p>
              {texts.to} <span class="address">{address}</span>
            </p>
          )}
          <p class="state" role="status" id="state">
            {states[status.state]}
          </p>
          <p class="count" id="count">
            {tone === "waiting" ? <Counting from={status.created_at} around={texts.onItsWay} /> : null}
            {tone === "good" ? <Counting from={last} around={texts.ago} /> : null}
          </p>
          <div id="retry">
            {status.next_try_at === null ? null : (
              <p>
                {texts.nextTry}: <Time iso={status.next_try_at} texts={texts} />
              </p>
            )}
          </div>
          <h2>{texts.timeline}</h2>
          <Journey status={status} language={language} steps={steps} />
          <Next status={status} language={language} address={address} />
        </div>
      </div>
      <div id="updates">
        {status.final ? null : <Updates path={`${path}?lang=${language}`} texts={texts} updates={updates} />}
      </div>
    </Layout>
  );
};
