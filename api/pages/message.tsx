import type { Locale } from "../../stream/events/user-signed-up.ts";
import { Layout } from "./layout.tsx";
import { TEXTS } from "./texts.ts";

export interface MessageProps {
  readonly language: Locale;
  readonly brandName: string;
  readonly path: string;
  readonly title: string;
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** A page with one message and a link back to the signup page. */
export const Message = ({ language, brandName, path, title, text, advice }: MessageProps) => (
  <Layout language={language} brandName={brandName} title={title} path={path}>
    <div class="card">
      <div class="inside">
        <h1>{title}</h1>
        <p>{text}</p>
        {advice === undefined ? null : <p>{advice}</p>}
        <a href={`/?lang=${language}`}>{TEXTS[language].backToSignup}</a>
      </div>
    </div>
  </Layout>
);
