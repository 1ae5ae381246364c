import type { Handler } from "hono";
import { languageOf } from "../language.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { type FindEvent, toEventStatusAnswer } from "../status/event-status.ts";
import { rememberedAddress } from "./masked-address.ts";
import { Message } from "./message.tsx";
import { page } from "./render.ts";
import { SignupStatus } from "./signup-status.tsx";
import type { Disclosed } from "./state-texts.ts";
import { TEXTS } from "./texts.ts";

export interface StatusPageDeps {
  readonly findEvent: FindEvent;
  readonly brandName: string;
  /** Whether the page may say that an account was made. */
  readonly disclosed: Disclosed;
  /** Whether browsers come by https. */
  readonly isSecure: boolean;
  /** The address of the page's script. */
  readonly script: string;
}

/** `GET /signups/{event_id}`: the status of the mail, in words. The page reloads until it is final. */
export const statusPage =
  ({ findEvent, brandName, disclosed, isSecure, script }: StatusPageDeps): Handler =>
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
    return page(
      c,
      <SignupStatus
        language={language}
        brandName={brandName}
        disclosed={disclosed}
        status={status}
        address={rememberedAddress(c, isSecure)}
        script={script}
        updates={updates}
      />,
    );
  };
