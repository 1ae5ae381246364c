import type { Handler } from "hono";
import { languageOf } from "../language.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { type FindEvent, toEventStatusAnswer } from "../status/event-status.ts";
import { Message } from "./message.tsx";
import { page } from "./render.ts";
import { SignupStatus } from "./signup-status.tsx";
import { TEXTS } from "./texts.ts";

export interface StatusPageDeps {
  readonly findEvent: FindEvent;
  readonly brandName: string;
}

/** `GET /signups/{event_id}`: the status of the mail, in words. The page reloads until it is final. */
export const statusPage =
  ({ findEvent, brandName }: StatusPageDeps): Handler =>
  async (c) => {
    const language = languageOf(c);
    const found = await findEvent(c.req.param("event_id"));
    if (found === undefined) {
      const { notFoundTitle } = TEXTS[language];
      const text = PROBLEM_TYPES.event_not_found[language];
      return page(
        c,
        <Message language={language} brandName={brandName} path={c.req.path} title={notFoundTitle} text={text} />,
        404,
      );
    }
    const updates = c.req.query("updates") === "off" ? "off" : "on";
    const status = toEventStatusAnswer(found, { isOperator: false, language });
    return page(c, <SignupStatus language={language} brandName={brandName} status={status} updates={updates} />);
  };
