import { LOCALES } from "../../stream/events/user-signed-up.ts";
import type { AnswerProblem } from "../errors.ts";
import { languageOf } from "../language.ts";
import { problemResponse } from "../problem.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { Message } from "./message.tsx";
import { page } from "./render.ts";
import { TEXTS } from "./texts.ts";

/** `text/html` by name and not with `q=0`, as browsers ask for a page; programs ask for JSON, or for anything. */
const ASKS_FOR_PAGE = /(?:^|,)\s*text\/html\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i;

/** A problem as problem+json; to a browser that is not on a page of its own, as a page. */
export const answerProblem =
  (brandName: string): AnswerProblem =>
  (c, problem) => {
    const isPage = !c.req.path.startsWith("/api/") && ASKS_FOR_PAGE.test(c.req.header("accept") ?? "");
    if (!isPage) return problemResponse(c, problem);
    // Of an address that nobody serves no middleware has read the query.
    const language = LOCALES.find((locale) => locale === c.req.query("lang")) ?? languageOf(c);
    const type = PROBLEM_TYPES[problem.code];
    const { status, [language]: text } = type;
    const heading = status === 404 ? TEXTS[language].notFoundTitle : TEXTS[language].problemTitle(type);
    return page(
      c,
      // Not the path that was asked for: `//evil.example` in a link would lead there.
      <Message language={language} brandName={brandName} path="/" title={heading} text={text} />,
      status,
      { Vary: "Accept, Accept-Language", ...problem.headers },
    );
  };
