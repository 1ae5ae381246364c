import type { Hono } from "hono";
import { csrf } from "hono/csrf";
import { detectPageLanguage } from "../language.ts";
import { resource } from "../resource.ts";
import { type ConfirmPageDeps, showConfirmation, submitConfirmation } from "./confirm-page.tsx";
import { type NotMePageDeps, showNotMe, submitNotMe } from "./not-me-page.tsx";
import { problemTypePage } from "./problem-type-page.tsx";
import { type ResendPageDeps, showResend, submitResend } from "./resend-page.tsx";
import { type SignupPageDeps, showForm, submitForm } from "./signup-page.tsx";
import { type StatusPageDeps, statusPage } from "./status-page.tsx";
import { STYLE } from "./style.ts";

export interface PagesDeps extends SignupPageDeps, StatusPageDeps, ConfirmPageDeps, ResendPageDeps, NotMePageDeps {
  /** Origin of PUBLIC_URL: behind a proxy that terminates TLS, the browser's origin is not the request's. */
  readonly publicOrigin: string;
}

const IMMUTABLE = "public, max-age=31536000, immutable";

/** The pages for people. They need no JavaScript and load nothing from another origin. */
export const addPages = (app: Hono, deps: PagesDeps): void => {
  const { publicOrigin } = deps;
  const fromOurPages = csrf({
    origin: (origin, c) => origin === publicOrigin || origin === URL.parse(c.req.url)?.origin,
  });
  for (const path of ["/", "/resend"]) app.on("POST", path, fromOurPages);
  for (const path of ["/", "/signups/*", "/problems/*", "/confirm", "/resend", "/not-me"])
    app.use(path, detectPageLanguage());
  resource(app, "/", { get: showForm(deps), post: submitForm(deps) });
  resource(app, "/signups/:event_id", { get: statusPage(deps) });
  resource(app, "/confirm", { get: showConfirmation(deps), post: submitConfirmation(deps) });
  resource(app, "/resend", { get: showResend(deps), post: submitResend(deps) });
  resource(app, "/not-me", { get: showNotMe(deps), post: submitNotMe(deps) });
  resource(app, "/problems/:code", { get: problemTypePage(deps.brandName) });
  resource(app, "/style.css", {
    get: (c) => c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8", "Cache-Control": IMMUTABLE }),
  });
};
