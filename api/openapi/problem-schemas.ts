import type { ResponsesWithResolver } from "hono-openapi";
import { FAULT_CODES } from "../faults.ts";
import { isProblemCode, PROBLEM_TYPES, type ProblemCode, problemUri } from "../problem-types.ts";

/** A schema in a response, as hono-openapi takes it. */
type Schema = Exclude<
  NonNullable<
    NonNullable<Exclude<ResponsesWithResolver[string], { readonly $ref: string }>["content"]>[string]["schema"]
  >,
  { readonly vendor: string }
>;

/** `email_taken` -> `EmailTakenProblem`. */
const nameOf = (code: ProblemCode): string =>
  `${code
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("")}Problem`;

const referenceTo = (code: ProblemCode): string => `#/components/schemas/${nameOf(code)}`;

const ERRORS: Schema = {
  type: "array",
  description: "Every fault of the body.",
  items: {
    type: "object",
    required: ["pointer", "detail", "code"],
    properties: {
      pointer: { type: "string", description: "JSON pointer into the body, as a URI fragment (RFC 6901, 6)." },
      detail: { type: "string", description: "For people, in the language of the answer." },
      code: { type: "string", enum: [...FAULT_CODES], description: "For programs; never changes." },
    },
  },
};

const schemaOf = (code: ProblemCode): Schema => {
  const errors = code === "validation_failed" ? { errors: ERRORS } : {};
  const properties: Readonly<Record<string, Schema>> = {
    type: { type: "string", const: problemUri(code), description: "A page about this problem." },
    title: { type: "string" },
    status: { type: "integer", const: PROBLEM_TYPES[code].status, description: "The HTTP status." },
    detail: { type: "string", description: "For people, in Vietnamese or English, by Accept-Language." },
    code: { type: "string", const: code, description: "For programs; never changes." },
    ...errors,
  };
  return { type: "object", description: PROBLEM_TYPES[code].en, required: Object.keys(properties), properties };
};

/** The schemas of the problems that a text refers to, for the document's components; some are only answered by pages. */
export const problemSchemasIn = (text: string): Readonly<Record<string, Schema>> =>
  Object.fromEntries(
    Object.keys(PROBLEM_TYPES)
      .filter(isProblemCode)
      .filter((code) => text.includes(`"${referenceTo(code)}"`))
      .map((code) => [nameOf(code), schemaOf(code)]),
  );

/**
 * The body of a response that is one of these problems: a union that a generated client can tell apart by `code`, and whose
 * `switch` a compiler can find complete.
 */
export const oneOfProblems = ([first, ...others]: readonly [ProblemCode, ...ProblemCode[]]): Schema => {
  if (others.length === 0) return { $ref: referenceTo(first) };
  const codes = [first, ...others];
  return {
    oneOf: codes.map((code) => ({ $ref: referenceTo(code) })),
    discriminator: {
      propertyName: "code",
      mapping: Object.fromEntries(codes.map((code) => [code, referenceTo(code)])),
    },
  };
};
