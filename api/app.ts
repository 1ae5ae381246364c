import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import type { Database } from "../database/connection.ts";
import type { LoggedEvent } from "../database/events.ts";
import type { Backlog } from "../database/ledger/counts.ts";
import type { PaymentWriter } from "../database/payments/request.ts";
import { findTransactions } from "../database/payments/transactions.ts";
import { createConfirm } from "../database/users/confirm.ts";
import { createConfirmationKey } from "../database/users/confirmation-key.ts";
import { createDisown } from "../database/users/disown.ts";
import { findByIdempotencyKey } from "../database/users/idempotency-keys.ts";
import { createRequestConfirmation } from "../database/users/request-confirmation.ts";
import type { SignupWriter } from "../database/users/signup.ts";
import { findVerification } from "../database/users/verification.ts";
import { observeRequests, observeRoute } from "../observability/http-server.ts";
import type { Logger } from "../observability/logger.ts";
import { isTelemetryOn } from "../observability/metrics.ts";
import type { TraceContext } from "../observability/trace-context.ts";
import { pause } from "../runtime/loop.ts";
import type { Settings } from "../settings/load.ts";
import { boundGroups, type Group } from "../stream/groups.ts";
import type { Admit } from "./admission/admission.ts";
import { createPacing } from "./admission/pace.ts";
import { createRequestRate } from "./admission/request-rate.ts";
import { createAcceptReports } from "./bounces/accept-reports.ts";
import { bouncesRoute } from "./bounces/route.ts";
import { rememberedClientOf } from "./client/client.ts";
import { createConfirmAddress } from "./confirmation/confirm-address.ts";
import { createResend } from "./confirmation/resend.ts";
import { resendRoute } from "./confirmation/resend-route.ts";
import { tokenPolicy } from "./confirmation/token-policy.ts";
import { userRoute } from "./confirmation/user-route.ts";
import { addConsole, type ConsoleDeps, consolePolicy } from "./console/console.tsx";
import { snapshotsOf } from "./console/now/reading.ts";
import { createDisownAccount } from "./disowning/disown-account.ts";
import { addDocs } from "./docs/routes.tsx";
import { createErrorHandler, createErrorReporter, createNotFound } from "./errors.ts";
import { aroundEveryRequest } from "./every-request.ts";
import { type Liveness, livenessRoute, type Readiness, readinessRoute } from "./health/routes.ts";
import { requireHost } from "./host.ts";
import { openapiRoute, openapiText } from "./openapi/document.ts";
import { backlogRoute } from "./operations/backlog-route.ts";
import { createOperatorCheck, createServiceTokenCheck, createServiceTokenHolders } from "./operations/service-token.ts";
import { createTokenAttempts } from "./operations/token-attempts.ts";
import { answerProblem } from "./pages/problem-page.tsx";
import { addPages, PAGES_POLICY } from "./pages/routes.ts";
import type { CommonPasswords } from "./passwords/common-passwords.ts";
import type { PasswordHasher } from "./passwords/hasher.ts";
import type { HashCost } from "./passwords/outdated.ts";
import { createPasswordRules } from "./passwords/rules.ts";
import { createVerifyPassword } from "./passwords/verify.ts";
import { verifyRoute } from "./passwords/verify-route.ts";
import { paymentStatusRoute, requestPaymentRoute } from "./payments/routes.ts";
import { resource } from "./resource.ts";
import { createRouter } from "./router.ts";
import { secureHeadersOf, withHeaders } from "./secure-headers.ts";
import { createAcceptSignup } from "./signup/accept.ts";
import { createDirectSignup } from "./signup/direct.ts";
import { createNameRules } from "./signup/names/name-rules.ts";
import { signupRoute } from "./signup/route.ts";
import { createParseSignup } from "./signup/schema.ts";
import { createSignUp } from "./signup/sign-up.ts";
import { eventRoute } from "./status/event-route.ts";
import { createFindEvent, createFindEvents } from "./status/event-status.ts";
import { eventStreamRoute, type StreamLimits } from "./status/event-stream-route.ts";
import type { LiveStatuses } from "./status/live-statuses.ts";

export interface AppDeps {
  readonly db: Database;
  readonly signups: SignupWriter;
  readonly payments: PaymentWriter;
  readonly hasher: PasswordHasher;
  readonly commonPasswords: CommonPasswords;
  /** Admits signups, and requests for another mail, before they cost anything. */
  readonly admit: Admit;
  /** Every group, in the order in which they speak for an event. */
  readonly groups: readonly Group[];
  /** Sends a committed event to Redis, without waiting for it. Never rejects. */
  readonly afterCommit: (event: LoggedEvent) => Promise<void>;
  readonly readiness: () => Promise<Readiness>;
  readonly liveness: () => Liveness;
  /** What a group has to do; undefined if there is no such group. */
  readonly backlog: (group: string) => Promise<Omit<Backlog, "oldestAt" | "soon"> | undefined>;
  /** For live pages. */
  readonly live: Pick<LiveStatuses, "follow">;
  /** Of live pages; the usual ones if not given. */
  readonly streamLimits?: Partial<StreamLimits>;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  /** Aborted when the process is to stop. */
  readonly stopping: AbortSignal;
  /** What the operator's console works with; undefined: there is none. */
  readonly console?: Pick<ConsoleDeps, "stores" | "keys"> & Pick<Parameters<typeof snapshotsOf>[0], "refusal">;
  readonly settings: Pick<
    Settings,
    "BRAND_NAME" | "PUBLIC_URL" | "SERVICE_TOKEN" | "CONFIRMATION_SECRET" | "SIGNUP_DISCLOSURE"
  > &
    ConsoleDeps["settings"] &
    HashCost;
  readonly log: Logger;
  /** UUIDv7 */
  readonly newId: () => string;
  /** For callers that sent no trace context. */
  readonly newTraceContext: () => TraceContext;
}

/** Where one signs up, and an alias. */
const SIGNUP_PATHS = ["/api/v1/user", "/api/v1/user/"] as const;
/** Where requests are admitted, or refused. */
const ADMITTED = [...SIGNUP_PATHS, "/api/v1/user/resend", "/", "/resend"];

/** Has a limit for each client, and so refuses many. */
const LIVE_STATUS = "/api/v1/events/:event_id/stream";

/** The path of a request. Without a usable `Host` (HTTP/1.0) its `url` is the path alone (Bun 1.4). */
const pathOf = (request: Request): string =>
  getPath(request.url.startsWith("/") ? new Request(`http://localhost${request.url}`) : request);

/** Wires the routes. Opens and starts nothing: whatever has a lifetime is passed in. */
export const createApp = (deps: AppDeps): Hono => {
  const { db, settings, admit, newTraceContext } = deps;
  const clientOf = rememberedClientOf(deps.clientOf);
  const report = createErrorReporter(deps.log);
  const signUp = createSignUp({ ...deps, findByIdempotencyKey: (keyHash) => findByIdempotencyKey(db, keyHash) });
  const findEvent = createFindEvent(createFindEvents(db, deps.groups));
  const admitting = {
    serviceToken: settings.SERVICE_TOKEN,
    clientOf,
    attempts: createTokenAttempts(() => performance.now()),
  };
  const requireServiceToken = createServiceTokenCheck(admitting);
  const isOperator = createOperatorCheck(requireServiceToken);

  const app = new Hono({ router: createRouter(), getPath: pathOf });
  const answer = answerProblem(settings.BRAND_NAME);
  app.onError(createErrorHandler(report, answer));
  app.notFound(createNotFound(answer));
  // Outermost: what is held back counts as answered.
  const pacing = createPacing({ clientOf, now: () => performance.now(), pause, random: Math.random });
  app.on("POST", ADMITTED, pacing.hold);
  app.on("GET", LIVE_STATUS, pacing.hold);
  if (isTelemetryOn()) app.use(observeRequests());
  app.use(aroundEveryRequest());
  // Registered before the pages' policy: the outermost middleware sets the header last.
  app.use("/console/*", consolePolicy);
  for (const path of ["/confirm", "/not-me"]) app.use(path, tokenPolicy);
  const headers = secureHeadersOf({ contentSecurityPolicy: PAGES_POLICY, publicUrl: settings.PUBLIC_URL });
  app.use(withHeaders(headers));

  app.use((c, next) => {
    requireHost(c);
    pacing.requireTurn(c);
    return next();
  });

  const brandName = settings.BRAND_NAME;
  const parseSignup = createParseSignup({
    names: createNameRules({ brandName }),
    passwords: createPasswordRules({ common: deps.commonPasswords, brandName }),
  });
  const acceptSignup = createAcceptSignup({ parseSignup, signUp, admit });
  const [path, alias] = SIGNUP_PATHS;
  const paths = new Set<string>(SIGNUP_PATHS);
  const rate = createRequestRate({
    ...{ app: app.fetch, clientOf, pacing, now: () => performance.now() },
    holders: createServiceTokenHolders(admitting),
    admitted: new Set(ADMITTED),
  });
  const direct = createDirectSignup({
    ...{ acceptSignup, newTraceContext, headers, paths },
    pacing: { take: (client) => (rate.isSpent(client) ? undefined : pacing.take(client)) },
    // It asks once, and what is remembered for a request costs the garbage collector as much as it costs to find out.
    clientOf: deps.clientOf,
    app: rate.fetch,
    ...(isTelemetryOn() ? { observe: (route: string) => observeRoute("POST", route) } : {}),
  });
  app.fetch = (request) => direct.fetch(request);
  const { failureOf } = direct;
  const signup = signupRoute({ acceptSignup, clientOf, newTraceContext, failureOf });
  resource(app, path, { post: signup });
  // Not in the document, where an operation has one path, without a slash at its end.
  resource(app, alias, { post: signup.handler });
  const requestConfirmation = createRequestConfirmation(boundGroups(deps.groups));
  const resend = createResend({ ...deps, requestConfirmation });
  // These two before the route of a user, whose id the last part would be.
  resource(app, "/api/v1/user/resend", { post: resendRoute({ resend, admit, clientOf, newTraceContext }) });
  const verifyPassword = createVerifyPassword({ ...deps, cost: settings });
  resource(app, "/api/v1/user/verify", { post: verifyRoute({ verifyPassword, requireServiceToken }) });
  const user = userRoute({ findVerification: (userId) => findVerification(db, userId), requireServiceToken });
  resource(app, "/api/v1/user/:user_id", { get: user });
  resource(app, "/api/v1/events/:event_id", { get: eventRoute({ findEvent, isOperator }) });
  const eventStream = eventStreamRoute({ ...deps, clientOf, findEvent, isOperator, limits: deps.streamLimits ?? {} });
  resource(app, LIVE_STATUS, { get: eventStream });
  resource(app, "/api/v1/backlog/:group", { get: backlogRoute({ backlog: deps.backlog, requireServiceToken }) });
  const key = createConfirmationKey(db, settings.CONFIRMATION_SECRET);
  const groupNames = deps.groups.map(({ name }) => name);
  const bounces = bouncesRoute({
    accept: createAcceptReports({ db, key, groups: groupNames }),
    requireServiceToken: createServiceTokenCheck({ ...admitting, allowsBasic: true }),
    log: deps.log,
  });
  resource(app, "/api/v1/bounces", { post: bounces });
  const paymentRoutes = {
    ...deps,
    requireServiceToken,
    findTransaction: async (id: string) => (await findTransactions(db, [id])).get(id),
  };
  resource(app, "/api/v1/payments", { post: requestPaymentRoute(paymentRoutes) });
  resource(app, "/api/v1/payments/:transaction_id", { get: paymentStatusRoute(paymentRoutes) });
  resource(app, "/livez", { get: livenessRoute(deps.liveness) });
  const clocks = { now: () => new Date(), monotonicMs: () => performance.now() };
  const snapshots = deps.console === undefined ? undefined : snapshotsOf({ ...deps, ...deps.console, ...clocks });
  const findings = async () => (await snapshots?.latest())?.situation.findings ?? [];
  resource(app, "/readyz", { get: readinessRoute({ readiness: deps.readiness, isOperator, findings }) });
  const documentText = openapiText(app, { brandName, publicUrl: settings.PUBLIC_URL });
  resource(app, "/openapi.json", { get: openapiRoute(documentText) });
  addDocs(app, { documentText, origin: new URL(settings.PUBLIC_URL).origin });
  if (deps.console !== undefined && snapshots !== undefined) {
    addConsole(app, { ...deps, ...deps.console, ...clocks, snapshots, clientOf });
  }
  const linkDeps = { ...deps, key, wallClockMs: Date.now };
  addPages(app, {
    parseSignup,
    signUp,
    resend,
    admit,
    clientOf,
    confirmAddress: createConfirmAddress({ ...linkDeps, confirm: createConfirm(boundGroups(deps.groups)) }),
    disownAccount: createDisownAccount({ ...linkDeps, disown: createDisown() }),
    findEvent,
    report,
    newTraceContext,
    newId: deps.newId,
    brandName,
    disclosed: settings.SIGNUP_DISCLOSURE,
    publicOrigin: new URL(settings.PUBLIC_URL).origin,
  });
  return app;
};
