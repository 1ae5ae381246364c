import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { MARK_HREF, markSvg } from "../../runtime/brand/mark.ts";
import { assetHref } from "./assets.ts";
import type { OpenSession } from "./session.ts";
import type { ConsoleSection } from "./visit.ts";

/** A link of the navigation. */
export type NavigationLink = Pick<ConsoleSection, "label" | "path" | "key">;

interface DocumentProps {
  readonly brandName: string;
  readonly title: string;
  readonly scripts?: readonly string[] | undefined;
  readonly children: Child;
}

/** A document of the console. It loads the console's own files and nothing else. */
export const ConsoleDocument = ({ brandName, title, scripts = [], children }: DocumentProps) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex" />
      <title>{`${title} · ${brandName} console`}</title>
      <link rel="icon" href={MARK_HREF} />
      <link rel="stylesheet" href={assetHref("console.css")} />
      {scripts.map((name) => (
        <script src={assetHref(name)} defer />
      ))}
    </head>
    <body>{children}</body>
  </html>
);

/** What each form of the console carries. */
export const FormToken = ({ session }: { readonly session: Pick<OpenSession, "csrf"> }) => (
  <input type="hidden" name="csrf" value={session.csrf} />
);

export interface ConsolePageProps extends DocumentProps {
  readonly navigation: readonly NavigationLink[];
  readonly session: OpenSession;
  /** The path of the page, to mark its section. */
  readonly path: string;
}

const KEYS = [
  ["/", "find"],
  ["j  k", "next and previous in a list"],
  ["Enter", "open what is selected"],
  ["?", "this list"],
] as const;

/** The first section has the pages of the groups as well, and not everything that is below it. */
const isWithin = (path: string, section: string): boolean =>
  path === section || path.startsWith(`${section === "/console" ? "/console/groups" : section}/`);

/** The layout of every page of the console: who is signed in, the sections, the page. */
export const ConsolePage = ({ navigation, session, path, children, scripts = [], ...document }: ConsolePageProps) => {
  const current = navigation
    .filter((link) => isWithin(path, link.path))
    .toSorted((left, right) => right.path.length - left.path.length)[0];
  return (
    <ConsoleDocument {...document} scripts={["console.js", ...scripts]}>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="/console">
          {raw(markSvg())}
          {document.brandName}
        </a>
        <nav aria-label="Sections">
          {navigation.map((link) => (
            <a href={link.path} data-key={link.key} aria-current={link === current ? "page" : undefined}>
              {link.label}
            </a>
          ))}
        </nav>
        <form class="who" method="post" action="/console/sign-out">
          <FormToken session={session} />
          <a href="/console/session">
            {session.name} <small>{session.role}</small>
          </a>
          <button class="quiet" type="submit">
            Sign out
          </button>
        </form>
      </header>
      <main id="content">{children}</main>
      <dialog id="keys" aria-labelledby="keys-title">
        <h2 id="keys-title">Keys</h2>
        <dl>
          {[...KEYS, ...navigation.map(({ key, label }) => [`g ${key}`, label] as const)].map(([key, what]) => (
            <>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </ConsoleDocument>
  );
};
