import type { Context, Handler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { raw } from "hono/html";
import { markSvg } from "../../runtime/brand/mark.ts";
import { createTokenAttempts } from "../operations/token-attempts.ts";
import { readText, requireForm } from "../read-body.ts";
import { ConsoleDocument } from "./layout.tsx";
import { type OpenSession, SESSION_LIFE_MS, type Sessions } from "./session.ts";

/** Where one signs in. */
export const SIGN_IN = "/console/sign-in";
const MAX_NAME = 40;
/** Letters and digits of any language, so that the audit log reads well; no brackets, which name the role there. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._'-]*$/u;

export interface SignInDeps {
  readonly sessions: Sessions;
  readonly clientOf: (request: Request) => string;
  readonly brandName: string;
  /** Whether browsers reach us by https. */
  readonly isSecure: boolean;
  /** Monotonic, ms. */
  readonly monotonicMs: () => number;
}

/** Where a session's cookie is. */
interface CookieJar {
  read(c: Context): OpenSession | undefined;
  write(c: Context, cookie: string): void;
  clear(c: Context): void;
}

/** `__Host-` (RFC 6265bis, 4.1.3.2) keeps other hosts of the domain from setting it. */
export const createCookieJar = ({ sessions, isSecure }: Pick<SignInDeps, "sessions" | "isSecure">): CookieJar => {
  const name = isSecure ? "__Host-console" : "console";
  const attributes = { path: "/", httpOnly: true, sameSite: "Strict", secure: isSecure } as const;
  return {
    read: (c) => {
      const cookie = getCookie(c, name);
      return cookie === undefined ? undefined : sessions.open(cookie);
    },
    write: (c, cookie) => setCookie(c, name, cookie, { ...attributes, maxAge: SESSION_LIFE_MS / 1_000 }),
    clear: (c) => void deleteCookie(c, name, attributes),
  };
};

/** A path of the console alone: a link may not send who signs in to another site. */
export const localPath = (wanted: string | undefined): string =>
  wanted !== undefined && /^\/console(?:[/?][\x21-\x7e]*)?$/.test(wanted) ? wanted : "/console";

interface FormProps {
  readonly brandName: string;
  readonly next: string;
  readonly name?: string;
  readonly fault?: string;
}

const SignIn = ({ brandName, next, name = "", fault }: FormProps) => (
  <ConsoleDocument brandName={brandName} title={fault === undefined ? "Sign in" : "Not signed in"}>
    <main class="narrow">
      <form class="card" method="post" action={SIGN_IN}>
        <h1>
          <span class="mark">{raw(markSvg())}</span> {brandName} console
        </h1>
        {fault === undefined ? null : (
          <p class="alert" role="alert">
            {fault}
          </p>
        )}
        <input type="hidden" name="next" value={next} />
        <label for="name">Your name</label>
        <input
          id="name"
          name="name"
          value={name}
          autocomplete="username"
          required
          maxlength={MAX_NAME}
          aria-describedby="name-hint"
          autofocus={name === ""}
        />
        <p class="hint" id="name-hint">
          For the audit log: who acted.
        </p>
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          required
          autofocus={name !== ""}
          aria-describedby="token-hint"
        />
        <p class="hint" id="token-hint">
          CONSOLE_TOKEN to act, CONSOLE_READ_TOKEN to look.
        </p>
        <button type="submit">Sign in</button>
      </form>
    </main>
  </ConsoleDocument>
);

/** `GET` and `POST /console/sign-in`. A client that has sent ten wrong tokens waits for the rest of the minute. */
export const signInHandlers = (deps: SignInDeps): { readonly show: Handler; readonly submit: Handler } => {
  const { sessions, clientOf, brandName, monotonicMs } = deps;
  const attempts = createTokenAttempts(monotonicMs);
  const jar = createCookieJar(deps);
  const form = async (c: Context, props: Omit<FormProps, "brandName">, status: 200 | 400 | 401 | 429 = 200) =>
    c.html(`<!DOCTYPE html>${await (<SignIn brandName={brandName} {...props} />).toString()}`, status);
  return {
    show: (c) => form(c, { next: localPath(c.req.query("next")) }),
    async submit(c) {
      requireForm(c.req.header("content-type"));
      const given = new URLSearchParams(await readText(c, "bad_request"));
      const name = (given.get("name") ?? "").trim();
      const next = localPath(given.get("next") ?? undefined);
      const client = clientOf(c.req.raw);
      const waitS = Math.ceil(attempts.waitMs(client) / 1_000);
      if (waitS > 0) {
        c.header("Retry-After", String(waitS));
        return form(c, { next, name, fault: `Too many wrong tokens. Wait ${waitS} s.` }, 429);
      }
      if (name.length > MAX_NAME || !NAME.test(name)) {
        return form(c, { next, fault: `A name has letters and digits, at most ${MAX_NAME} characters.` }, 400);
      }
      const role = sessions.roleOf(given.get("token") ?? "");
      if (role === undefined) {
        attempts.failed(client, c.req.raw);
        return form(c, { next, name, fault: "This token is wrong." }, 401);
      }
      attempts.succeeded(client);
      jar.write(c, sessions.begin(name, role));
      return c.redirect(next, 303);
    },
  };
};
