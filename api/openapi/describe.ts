import { type ContentWithResolver, type describeRoute, type ResponsesWithResolver, resolver } from "hono-openapi";
import type { z } from "zod";
import { PROBLEM_TYPES, type ProblemCode } from "../problem-types.ts";
import { exampleProblem } from "./examples.ts";
import { oneOfProblems } from "./problem-schemas.ts";

type RouteDescription = Parameters<typeof describeRoute>[0];

/** What an operation of the document is about. */
export type Tag = "signup" | "status" | "payments" | "operations";

/** The description of one method of one path in the OpenAPI document. */
export interface Description extends Omit<RouteDescription, "tags"> {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: [Tag];
  /** Those that are particular to it; what any operation of its kind may answer is added. */
  readonly problems: readonly ProblemCode[];
}

type Headers = NonNullable<Exclude<ResponsesWithResolver[string], { readonly $ref: string }>["headers"]>;

interface Override {
  readonly zodSchema: z.core.$ZodType;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

/** Keywords that would mislead: zod's pattern for a format takes 200 characters to say what `format` says in a word. */
const withoutPatterns = ({ jsonSchema }: Override): void => {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  // Every JavaScript integer has this bound; we promise nothing by it.
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
};

/** A schema as a component of the document. `input`: as clients send it, before defaults are filled in. */
const component = (name: string, schema: z.ZodType, io: "input" | "output") =>
  resolver(schema, {
    options: {
      io,
      override: (context: Override) => {
        withoutPatterns(context);
        // By this keyword hono-openapi moves the schema into `components.schemas`.
        if (context.zodSchema === schema) context.jsonSchema["ref"] = name;
      },
    },
  });

/** The JSON body of a response. */
export const jsonAnswer = (name: string, schema: z.ZodType, example?: unknown): ContentWithResolver => ({
  "application/json": { schema: component(name, schema, "output"), ...(example === undefined ? {} : { example }) },
});

/** Server-Sent Events: OpenAPI 3.1 has no word for them, so the schema is that of the JSON in each event's `data`. */
export const sseAnswer = (name: string, schema: z.ZodType): ContentWithResolver => ({
  "text/event-stream": { schema: component(name, schema, "output") },
});

/** The JSON body of a request. */
export const jsonRequest = (name: string, schema: z.ZodType, example: unknown): ContentWithResolver => ({
  "application/json": { schema: component(name, schema, "input"), example },
});

/** A response header. */
export const header = (description: string, example?: string): Headers[string] => ({
  description,
  schema: { type: "string", ...(example === undefined ? {} : { examples: [example] }) },
});

/** What is left of a limit, by draft-ietf-httpapi-ratelimit-headers-11. */
export const rateLimitHeaders: Headers = {
  "RateLimit-Policy": header("The limit: its name, how many, and in how many seconds.", '"client";q=120;w=60'),
  RateLimit: header("What is left of it, and after how many seconds it is whole again.", '"client";r=119;t=1'),
};

const HEADERS_OF_STATUS: Readonly<Record<number, Headers>> = {
  401: { "WWW-Authenticate": header("Bearer challenge (RFC 6750).") },
  405: { Allow: header("The methods of this path (RFC 9110, 15.5.6).") },
  429: {
    "Retry-After": header("Whole seconds, after which the request is admitted.", "12"),
    ...rateLimitHeaders,
  },
  503: { "Retry-After": header("Whole seconds, at most 30.", "2") },
};

const isNotEmpty = <Item>(items: readonly Item[]): items is readonly [Item, ...Item[]] => items.length > 0;

/** Error responses by status; codes that share a status are one response, whose body is one of them. */
const problemResponses = (codes: readonly ProblemCode[]): ResponsesWithResolver =>
  Object.fromEntries(
    [...Map.groupBy(new Set(codes), (code) => PROBLEM_TYPES[code].status)].flatMap(([status, ofStatus]) => {
      if (!isNotEmpty(ofStatus)) return [];
      const headers = HEADERS_OF_STATUS[status];
      const response = {
        description: ofStatus.map((code) => PROBLEM_TYPES[code].title).join("; "),
        ...(headers === undefined ? {} : { headers }),
        content: {
          "application/problem+json": {
            schema: oneOfProblems(ofStatus),
            examples: Object.fromEntries(ofStatus.map((code) => [code, { value: exampleProblem(code) }])),
          },
        },
      };
      return [[status, response]];
    }),
  );

/**
 * A description with what every operation of its kind has: problems with `Host`, method, ourselves and a client's rate; with a body, that it is too slow;
 * with a service token, that it is wrong.
 */
export const completed = ({ problems, ...description }: Description): RouteDescription => {
  const { security = [], responses } = description;
  const codes: readonly ProblemCode[] = [
    "bad_request",
    "method_not_allowed",
    "internal_error",
    "too_many_requests",
    ...("requestBody" in description ? (["body_too_slow"] as const) : []),
    ...(security.length > 0 ? (["unauthorized", "too_many_tokens"] as const) : []),
    ...problems,
  ];
  return { ...description, security, responses: { ...problemResponses(codes), ...responses } };
};

type Parameter = NonNullable<Description["parameters"]>[number];

/** The request header that chooses the language of `detail`. */
export const acceptLanguage: Parameter = {
  name: "Accept-Language",
  in: "header",
  description: "`vi` (the default) or `en`: the language of `detail`.",
  schema: { type: "string" },
  example: "en",
};

/** For the document's components; `needsServiceToken` refers to it. */
export const SECURITY_SCHEMES = {
  serviceToken: {
    type: "http",
    scheme: "bearer",
    description: "The setting `SERVICE_TOKEN`: for programs of the operator.",
  },
} as const;

/** Each group of operations, for people. */
export const TAGS: readonly { readonly name: Tag; readonly description: string }[] = [
  { name: "signup", description: "Sign up, and what belongs to an account." },
  { name: "status", description: "What became of a mail: asked once, or followed live." },
  { name: "payments", description: "Debit an account, once." },
  { name: "operations", description: "For those who run the service: health, backlog, bounces." },
];

/** `security` of a route that only holders of the service token may call. */
export const needsServiceToken: NonNullable<Description["security"]> = [{ serviceToken: [] }];
