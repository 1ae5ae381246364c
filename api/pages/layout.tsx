import type { Child } from "hono/jsx";
import { MARK_HREF } from "../../runtime/brand/mark.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import { STYLE_HREF } from "./style.ts";
import { TEXTS } from "./texts.ts";

export interface LayoutProps {
  readonly language: Locale;
  readonly brandName: string;
  readonly title: string;
  /** Path of this page, perhaps with a query, for the link to the other language. */
  readonly path: string;
  /** Seconds until the page reloads; undefined: never. */
  readonly refreshS?: number | undefined;
  readonly children: Child;
}

/** The layout of every page. It loads its own style sheet and nothing else. */
export const Layout = ({ language, brandName, title, path, refreshS, children }: LayoutProps) => {
  const texts = TEXTS[language];
  const other: Locale = language === "vi" ? "en" : "vi";
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {refreshS === undefined ? null : <meta http-equiv="refresh" content={String(refreshS)} />}
        <title>{`${title} · ${brandName}`}</title>
        <link rel="icon" href={MARK_HREF} />
        <link rel="stylesheet" href={STYLE_HREF} />
      </head>
      <body>
        <header>
          <span class="brand">{brandName}</span>
          <a href={`${path}${path.includes("?") ? "&" : "?"}lang=${other}`} hreflang={other} lang={other}>
            {texts.otherLanguage}
          </a>
        </header>
        <main>{children}</main>
      </body>
    </html>
  );
};
