import type { Hono } from "hono";
import { fontFiles } from "../../runtime/brand/fonts.ts";
import { detectPageLanguage } from "../language.ts";
import { fromOurPages } from "../own-pages.ts";
import { resource } from "../resource.ts";
import { type ConfirmPageDeps, showConfirmation, submitConfirmation } from "./confirm-page.tsx";
import { type NotMePageDeps, showNotMe, submitNotMe } from "./not-me-page.tsx";
import { problemTypePage } from "./problem-type-page.tsx";
import { type ResendPageDeps, showResend, submitResend } from "./resend-page.tsx";
import { pageScripts } from "./scripts.ts";
import { type SignupPageDeps, showForm, submitForm } from "./signup-page.tsx";
import { type StatusPageDeps, statusPage } from "./status-page.tsx";
import { STYLE } from "./style.ts";

type OfPages = SignupPageDeps & StatusPageDeps & ConfirmPageDeps & ResendPageDeps & NotMePageDeps;

export interface PagesDeps extends Omit<OfPages, "isSecure" | "script"> {
  /** Origin of PUBLIC_URL: behind a proxy that terminates TLS, the browser's origin is not the request's. */
  readonly publicOrigin: string;
}

const IMMUTABLE = "public, max-age=31536000, immutable";

/** What the pages load: all of it is ours. */
export const PAGES_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  fontSrc: ["'self'"],
  imgSrc: ["data:"],
  // The page of a signup follows its mail.
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
  objectSrc: ["'none'"],
};

/** The pages for people. They need no JavaScript and load nothing from another origin. */
export const addPages = (app: Hono, deps: PagesDeps): void => {
  const { publicOrigin } = deps;
  const scripts = pageScripts();
  const isSecure = publicOrigin.startsWith("https:");
  const signup = { ...deps, isSecure, script: scripts.signup.href };
  for (const path of ["/", "/resend"]) app.on("POST", path, fromOurPages(publicOrigin));
  for (const path of ["/", "/signups/*", "/problems/*", "/confirm", "/resend", "/not-me"])
    app.use(path, detectPageLanguage());
  resource(app, "/", { get: showForm(signup), post: submitForm(signup) });
  resource(app, "/signups/:event_id", { get: statusPage({ ...deps, isSecure, script: scripts.status.href }) });
  resource(app, "/confirm", { get: showConfirmation(deps), post: submitConfirmation(deps) });
  resource(app, "/resend", { get: showResend(deps), post: submitResend(deps) });
  resource(app, "/not-me", { get: showNotMe(deps), post: submitNotMe(deps) });
  resource(app, "/problems/:code", { get: problemTypePage(deps.brandName) });
  const addAsset = (path: string, type: string, content: string | Uint8Array<ArrayBuffer>) =>
    resource(app, path, { get: (c) => c.body(content, 200, { "Content-Type": type, "Cache-Control": IMMUTABLE }) });
  addAsset("/style.css", "text/css; charset=utf-8", STYLE);
  for (const { path, content } of Object.values(scripts)) addAsset(path, "text/javascript; charset=utf-8", content);
  for (const [name, content] of fontFiles()) addAsset(`/fonts/${name}`, "font/woff2", content);
};
