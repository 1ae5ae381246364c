import type { Browser } from "playwright-core";
import { startBrowser } from "./browser.ts";
import { aSystem, type RunningProcess, type System } from "./processes.ts";

/** A system with the pages of a signup, and a browser to look at them. */
export interface SignupPages extends AsyncDisposable {
  readonly browser: Browser;
  readonly system: System;
  readonly api: RunningProcess;
}

/** Starts an API with its pages, a consumer of welcome mails, and Chromium. */
export const startSignupPages = async (): Promise<SignupPages> => {
  await using stack = new AsyncDisposableStack();
  const system = stack.use(await aSystem({ settings: { PUBLIC_URL: "http://signup.example" } }));
  const [browser, api] = await Promise.all([startBrowser(), system.api(), system.consumer({}, "welcome-email")]);
  stack.defer(() => browser.close());
  const all = stack.move();
  return { browser, system, api, [Symbol.asyncDispose]: () => all.disposeAsync() };
};
