import { z } from "zod";
import { livenessSchema, readinessSchema } from "../health/routes.ts";
import { backlogSchema } from "../operations/backlog-route.ts";
import { problemSchema } from "../problem.ts";
import { signupAnswerSchema } from "../signup/answer.ts";
import { signupSchema } from "../signup/schema.ts";
import { eventStatusSchema } from "../status/event-status.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Keywords that would mislead: zod's patterns for formats say in 200 characters what `format` says in one word. */
const withoutPatterns = ({ jsonSchema }: { readonly jsonSchema: JsonSchema }): void => {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  // Every JavaScript integer has this bound; it is no promise of ours.
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
};

const jsonSchemaOf = (schema: z.ZodType, io: "input" | "output"): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, override: withoutPatterns });
  return rest;
};

/** `components.schemas` of the OpenAPI document, made from the schemas that validate and type the bodies. */
export const componentSchemas = (): Readonly<Record<string, JsonSchema>> => ({
  SignupRequest: jsonSchemaOf(signupSchema, "input"),
  Signup: jsonSchemaOf(signupAnswerSchema, "output"),
  EventStatus: jsonSchemaOf(eventStatusSchema, "output"),
  Backlog: jsonSchemaOf(backlogSchema, "output"),
  Liveness: jsonSchemaOf(livenessSchema, "output"),
  Readiness: jsonSchemaOf(readinessSchema, "output"),
  Problem: jsonSchemaOf(problemSchema, "output"),
});
