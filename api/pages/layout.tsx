import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { PRELOADED_FONTS } from "../../runtime/brand/fonts.ts";
import { MARK_HREF, markSvg } from "../../runtime/brand/mark.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import { STYLE_HREF } from "./style.ts";
import { TEXTS } from "./texts.ts";

export interface LayoutProps {
  readonly language: Locale;
  readonly brandName: string;
  readonly title: string;
  /** Path of this page, perhaps with a query, for the link to the other language. */
  readonly path: string;
  /** Seconds until the page reloads where no script runs; undefined: never. */
  readonly refreshS?: number | undefined;
  /** The address of the page's own script. The page says all that matters without it. */
  readonly script?: string | undefined;
  /** Two columns where there is room. */
  readonly isWide?: boolean;
  readonly children: Child;
}

const MARK = raw(markSvg());

/** The layout of every page. It loads its own style sheet, fonts and script, and nothing else. */
export const Layout = (props: LayoutProps) => {
  const { language, brandName, title, path, refreshS, script, isWide = false, children } = props;
  const texts = TEXTS[language];
  const other: Locale = language === "vi" ? "en" : "vi";
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {refreshS === undefined ? null : (
          <noscript>
            <meta http-equiv="refresh" content={String(refreshS)} />
          </noscript>
        )}
        <title>{`${title} · ${brandName}`}</title>
        <link rel="icon" href={MARK_HREF} />
        {PRELOADED_FONTS.map((href) => (
          <link rel="preload" href={href} as="font" type="font/woff2" crossorigin="anonymous" />
        ))}
        <link rel="stylesheet" href={STYLE_HREF} />
        {script === undefined ? null : <script type="module" src={script}></script>}
      </head>
      <body>
        <header>
          <a class="brand" href={`/?lang=${language}`}>
            {MARK}
            {brandName}
          </a>
          <a href={`${path}${path.includes("?") ? "&" : "?"}lang=${other}`} hreflang={other} lang={other}>
            {texts.otherLanguage}
          </a>
        </header>
        <main class={isWide ? "wide" : undefined}>{children}</main>
      </body>
    </html>
  );
};
