import { z } from "zod";
import { type Setting, setting } from "./values.ts";

/** What a signup reveals. */
export const SIGNUP = {
  SIGNUP_DISCLOSURE: setting({
    schema: z.enum(["open", "private"], "expected open or private"),
    fallback: "open",
    example: "private",
    unit: "",
    about:
      "Whether a signup with a known address is told so: `open` answers 400 `email_taken`; `private` answers as to any other, and the owner of the address gets a notice by mail.",
  }),
} satisfies Record<string, Setting<unknown>>;
