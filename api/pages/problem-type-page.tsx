import type { Handler } from "hono";
import { languageOf } from "../language.ts";
import { ProblemError } from "../problem.ts";
import { PROBLEM_REMEDIES } from "../problem-remedies.ts";
import { isProblemCode, PROBLEM_TYPES } from "../problem-types.ts";
import { Message } from "./message.tsx";
import { page } from "./render.ts";
import { TEXTS } from "./texts.ts";

/** `GET /problems/{code}`: the page that the `type` of a problem links to (RFC 9457, 3.1.1). */
export const problemTypePage =
  (brandName: string): Handler =>
  (c) => {
    const code = c.req.param("code");
    if (!isProblemCode(code)) throw new ProblemError("not_found");
    const language = languageOf(c);
    return page(
      c,
      <Message
        language={language}
        brandName={brandName}
        path={c.req.path}
        title={TEXTS[language].problemTitle(PROBLEM_TYPES[code])}
        text={PROBLEM_TYPES[code][language]}
        advice={PROBLEM_REMEDIES[code][language]}
      />,
    );
  };
