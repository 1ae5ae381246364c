/**
 * The operator's console at `/console`.
 *
 * To add a section: a folder here that exports a `ConsoleSection` (`visit.ts`), and a line in `sections.ts`. Its handlers get a
 * `Visit`: somebody signed in, the form that they sent, an `operator()` to give to the actions of `ops/actions/`, `page()` to
 * answer with. A `post` is for operators alone, and only with the form's own token, which `<FormToken session={visit.session} />`
 * puts into a form; nothing of that is left to the handler. A list that `j` and `k` move in has `data-item tabindex="-1"` on what gets
 * the focus.
 */
import type { Context, Handler, Hono, MiddlewareHandler } from "hono";
import { databaseFault } from "../../database/errors.ts";
import { createAuditLog } from "../../ops/actions/audit-log.ts";
import { NotFound } from "../../ops/actions/operator.ts";
import { StoreAway } from "../../ops/actions/stores.ts";
import type { Settings } from "../../settings/load.ts";
import { refusalOf } from "../../stream/refusals.ts";
import { isTokenOf } from "../operations/service-token.ts";
import { fromOurPages } from "../own-pages.ts";
import { readText, requireForm } from "../read-body.ts";
import { resource } from "../resource.ts";
import { addAssets } from "./assets.ts";
import { ConsolePage } from "./layout.tsx";
import { SECTIONS } from "./sections.ts";
import { createSessions, type OpenSession } from "./session.ts";
import { SIGN_OUT, showSession, signedOutHereOnly } from "./session-page.tsx";
import { createCookieJar, SIGN_IN, signInHandlers } from "./sign-in.tsx";
import { createSignOuts } from "./sign-outs.ts";
import type { ConsoleParts, ConsolePath, PageContent, Visit, VisitHandler } from "./visit.ts";

export interface ConsoleDeps extends Omit<ConsoleParts, "settings"> {
  readonly settings: ConsoleParts["settings"] & Pick<Settings, "CONSOLE_TOKEN" | "CONSOLE_READ_TOKEN">;
  readonly clientOf: (request: Request) => string;
  /** Monotonic, ms. */
  readonly monotonicMs: () => number;
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "object-src 'none'",
].join("; ");

/** A mail that is looked at as HTML has its style in itself, and nothing else. */
const MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; sandbox";
const MAIL_PATH = /^\/console\/act\/mails\/[a-z]+\/[a-z]+\/html$/;

/** Replaces the pages' policy, which forbids all scripts; register it before that one. */
export const consolePolicy: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Content-Security-Policy", MAIL_PATH.test(c.req.path) ? MAIL_POLICY : CONTENT_SECURITY_POLICY);
  c.header("X-Robots-Tag", "noindex");
  if (!c.req.path.startsWith("/console/assets/")) c.header("Cache-Control", "no-store");
};

/** The browser sends no strict cookie with the first request that comes from another site, such as a link in an alert. */
const isFromElsewhere = (c: Context): boolean => c.req.header("sec-fetch-site") === "cross-site";

const AGAIN = '<!DOCTYPE html><html lang="en"><title>Console</title><meta http-equiv="refresh" content="0">';

const unknownSession = (): PageContent => ({
  title: "PostgreSQL is away",
  status: 503,
  children: (
    <p class="alert">
      PostgreSQL does not answer, so nobody knows whether this session was signed out elsewhere. Nothing was done. In an
      emergency: <code>ops pause GROUP --unrecorded</code>.
    </p>
  ),
});

/** How a store keeps from what was asked; undefined: it does not. */
const storeFaultIn = (error: unknown): string | undefined => {
  if (error instanceof StoreAway) return error.message;
  const refusal = error instanceof Error ? refusalOf(error.message) : undefined;
  if (refusal !== undefined) return `Redis refuses it: ${refusal}. Look what was done, and repeat it.`;
  return databaseFault(error).kind === "unavailable" ? "PostgreSQL does not answer." : undefined;
};

/** What an error says to an operator; undefined: it is a fault of ours. */
const contentOf = (error: unknown): PageContent | undefined => {
  if (error instanceof NotFound)
    return { title: "Not found", status: 404, children: <p class="alert">{error.message}</p> };
  const words = storeFaultIn(error);
  if (words === undefined) return undefined;
  return { title: "A store is away", status: 503, children: <p class="alert">{words}</p> };
};

/** Registers the console. Without a token of either role there is none: its addresses are not found. */
export const addConsole = (app: Hono, deps: ConsoleDeps): void => {
  const { settings, clientOf, newId, stores, log } = deps;
  const tokens = { operator: settings.CONSOLE_TOKEN, reader: settings.CONSOLE_READ_TOKEN };
  if (tokens.operator === undefined && tokens.reader === undefined) return;
  const brandName = settings.BRAND_NAME;
  const isSecure = settings.PUBLIC_URL.startsWith("https:");
  const wallClockMs = () => deps.now().getTime();
  const sessions = createSessions({ tokens, newId, wallClockMs });
  const signOuts = createSignOuts({ db: () => stores().db, wallClockMs, monotonicMs: deps.monotonicMs });
  const jar = createCookieJar({ sessions, isSecure });
  const navigation = SECTIONS.map(({ label, path, key }) => ({ label, path, key }));

  const visitOf = (c: Context, session: OpenSession, form: URLSearchParams): Visit => {
    const client = clientOf(c.req.raw);
    return {
      c,
      session,
      client,
      form,
      operator({ signal = deps.stopping, onProgress = () => {} } = {}) {
        const { db, redis } = stores();
        const audit = createAuditLog({
          db,
          actor: `${session.name} (as ${session.role})`,
          surface: "console",
          host: client,
          newId,
          warn: (message) => log.error({ actor: session.name }, message),
        });
        return { db, redis, keys: deps.keys, groups: deps.groups, signal, onProgress, at: () => {}, audit };
      },
      async page({ status = 200, ...content }) {
        const page = <ConsolePage {...{ brandName, navigation, session, path: c.req.path, ...content }} />;
        return c.html(`<!DOCTYPE html>${await page.toString()}`, status);
      },
      redirect: (path) => c.redirect(path, 303),
      hasEnded: () => signOuts.hasEnded(session),
    };
  };

  const refuse = (visit: Visit, words: string) =>
    visit.page({ title: "Refused", status: 403, children: <p class="alert">{words}</p> });

  const toSignIn = (c: Context): Response => {
    if (c.req.header("accept") === "text/event-stream") return c.body(null, 401);
    if (c.req.method === "GET" && isFromElsewhere(c)) return c.html(AGAIN);
    const { pathname, search } = new URL(c.req.url);
    const next = c.req.method === "GET" ? `?next=${encodeURIComponent(pathname + search)}` : "";
    return c.redirect(`${SIGN_IN}${next}`, 303);
  };

  const answer = async (visit: Visit, handle: (visit: Visit) => Promise<Response> | Response): Promise<Response> => {
    try {
      return await handle(visit);
    } catch (error) {
      const content = contentOf(error);
      if (content === undefined) throw error;
      return visit.page(content);
    }
  };

  /** Who is signed in, and was not signed out elsewhere. */
  const sessionOf = async (c: Context): Promise<OpenSession | undefined> => {
    const session = jar.read(c);
    return session === undefined || (await signOuts.hasEnded(session)) ? undefined : session;
  };

  /** The same for who wants to act: where nobody knows, nothing is done. */
  const mayAct = async (visit: Visit, post: VisitHandler): Promise<Response> => {
    const hasEnded = await signOuts.hasEndedNow(visit.session).catch(() => undefined);
    if (hasEnded === undefined) return visit.page(unknownSession());
    return hasEnded ? toSignIn(visit.c) : answer(visit, post);
  };

  const getOf =
    (get: NonNullable<ConsolePath["get"]>): Handler =>
    async (c) => {
      const session = await sessionOf(c);
      return session === undefined ? toSignIn(c) : answer(visitOf(c, session, new URLSearchParams()), get);
    };

  const postOf =
    (post: NonNullable<ConsolePath["post"]>, isHarmless: boolean): Handler =>
    async (c) => {
      const session = await sessionOf(c);
      if (session === undefined) return toSignIn(c);
      requireForm(c.req.header("content-type"));
      const visit = visitOf(c, session, new URLSearchParams(await readText(c, "bad_request")));
      if (!isTokenOf(session.csrf)(visit.form.get("csrf") ?? "")) {
        return refuse(visit, "This form is of another session. Open the page again; nothing was done.");
      }
      if (session.role !== "operator" && !isHarmless) return refuse(visit, "A reader may look, and change nothing.");
      return isHarmless ? answer(visit, post) : mayAct(visit, post);
    };

  app.use("/console/*", fromOurPages(new URL(settings.PUBLIC_URL).origin));
  addAssets(app);
  const signIn = signInHandlers({ sessions, clientOf, brandName, isSecure, monotonicMs: deps.monotonicMs });
  resource(app, SIGN_IN, { get: signIn.show, post: signIn.submit });
  const signOut = async (visit: Visit) => {
    const { name, role } = visit.session;
    const scope = visit.form.get("scope") === "everywhere" ? "everywhere" : "here";
    jar.clear(visit.c);
    try {
      await signOuts.end(visit.session, scope);
    } catch (error) {
      log.warn({ error: String(error), actor: name, role }, "a session of the console ended in its browser only");
      return signedOutHereOnly(visit);
    }
    log.info({ actor: name, role, scope }, "signed out of the console");
    return visit.redirect(SIGN_IN);
  };
  resource(app, SIGN_OUT, { post: postOf(signOut, true) });
  resource(app, "/console/session", { get: getOf(showSession(deps.now)) });
  for (const { path, get, post, isHarmless = false } of SECTIONS.flatMap(({ paths }) => paths(deps))) {
    resource(app, path, {
      ...(get === undefined ? {} : { get: getOf(get) }),
      ...(post === undefined ? {} : { post: postOf(post, isHarmless) }),
    });
  }
};
