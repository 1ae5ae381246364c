import type { Context, Handler } from "hono";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { ReportError } from "../errors.ts";
import { languageOf } from "../language.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { Message } from "./message.tsx";
import { page } from "./render.ts";

export interface OrFailureOptions {
  readonly report: ReportError;
  readonly brandName: string;
  readonly path: string;
  readonly title: (language: Locale) => string;
}

/** A failure as a page, since a person reads it. */
export const orFailure =
  ({ report, brandName, path, title }: OrFailureOptions, handler: (c: Context) => Promise<Response>): Handler =>
  async (c) => {
    try {
      return await handler(c);
    } catch (error) {
      const problem = report(error, c);
      const language = languageOf(c);
      const { status, [language]: text } = PROBLEM_TYPES[problem.code];
      return page(
        c,
        <Message language={language} brandName={brandName} path={path} title={title(language)} text={text} />,
        status,
        problem.headers,
      );
    }
  };
