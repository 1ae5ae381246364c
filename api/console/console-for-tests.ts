import type { Pipeline } from "../../tests/pipeline.ts";
import type { AppDeps } from "../app.ts";
import { anApp, TEST_SETTINGS } from "../app-for-tests.ts";
import type { ConsoleRole } from "./session.ts";
import type { ConsoleStores } from "./visit.ts";

export const TOKENS: Readonly<Record<ConsoleRole, string>> = {
  operator: "a-token-of-operators-0123",
  reader: "a-token-of-readers-0123456",
};

type Form = Readonly<Record<string, string>>;

/** Somebody at the console. */
export interface Person {
  /** Of the session, as the browser sends it. */
  readonly cookie: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The page as text. */
  read(path: string): Promise<string>;
  /** Sends a form with the session's own token, unless the form has another. */
  post(path: string, form?: Form, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** The console on a test's pipeline, without a browser. */
export const aConsole = (pipeline: Pipeline, replaced: Partial<AppDeps> = {}) => {
  const stores: ConsoleStores = { db: pipeline.ops.db, redis: pipeline.ops.redis };
  const { app } = anApp(pipeline.db, {
    groups: pipeline.groups,
    console: { stores: () => stores, keys: pipeline.keys },
    settings: { ...TEST_SETTINGS, CONSOLE_TOKEN: TOKENS.operator, CONSOLE_READ_TOKEN: TOKENS.reader },
    ...replaced,
  });
  const send = async (path: string, form: Form, headers: Readonly<Record<string, string>> = {}) =>
    app.request(path, {
      method: "POST",
      headers: { Origin: TEST_SETTINGS.PUBLIC_URL, "Content-Type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(form).toString(),
    });
  const signInWith = (form: Form, headers: Readonly<Record<string, string>> = {}) =>
    send("/console/sign-in", form, headers);

  /** Somebody who has the cookie of a session. */
  const withCookie = (cookie: string): Person => {
    const get: Person["get"] = async (path, headers = {}) =>
      app.request(path, { headers: { Cookie: cookie, ...headers } });
    let csrf: string | undefined;
    return {
      cookie,
      get,
      read: async (path) => (await get(path)).text(),
      async post(path, form = {}, headers = {}) {
        csrf ??= /name="csrf" value="([^"]+)"/.exec(await (await get("/console/session")).text())?.[1] ?? "";
        return send(path, { csrf, ...form }, { Cookie: cookie, ...headers });
      },
    };
  };

  /** Signs in. */
  const enter = async (role: ConsoleRole = "operator", name = "lan"): Promise<Person> => {
    const answer = await signInWith({ name, token: TOKENS[role] });
    return withCookie((answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "");
  };
  return { app, enter, signInWith, withCookie };
};
