import type { Child } from "hono/jsx";
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

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230b6e4f'/%3E%3Cpath d='M3 5l5 4 5-4v6H3z' fill='%23fff'/%3E%3C/svg%3E";

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
        <link rel="icon" href={ICON} />
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
