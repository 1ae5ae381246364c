import Ajv, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { z } from "zod";

const schemaObject = z.record(z.string(), z.unknown());
const content = z.record(z.string(), z.looseObject({ schema: schemaObject }));
const operationSchema = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.unknown())).default([]),
  parameters: z
    .array(z.looseObject({ name: z.string(), in: z.enum(["path", "query", "header"]), schema: schemaObject }))
    .default([]),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: content.optional() })),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.enum(["get", "post", "put", "patch", "delete"]), operationSchema.optional())),
  components: z.looseObject({ schemas: z.record(z.string(), schemaObject) }),
});

export type Schema = z.output<typeof schemaObject>;

/** One operation of an OpenAPI document, with what a caller needs to use it and to judge its answers. */
export interface DescribedOperation {
  readonly id: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly needsToken: boolean;
  /** Of its JSON body, references resolved. */
  readonly body: Schema | undefined;
  readonly isValidBody: (value: unknown) => boolean;
  /** What is wrong with an answer by the document; undefined if nothing is. */
  faultOf(status: number, contentType: string | null, json: unknown): string | undefined;
}

const REFERENCE = "#/components/schemas/";
const mediaType = (contentType: string | null): string => contentType?.split(";")[0]?.trim() ?? "";

/** The operations of a document, each of which can judge its own answers by it. */
export const operationsOf = (text: string): readonly DescribedOperation[] => {
  const document = documentSchema.parse(JSON.parse(text));
  // Examples and the like are OpenAPI's, not JSON Schema's.
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  ajv.addFormat("password", true);
  ajv.addSchema(document, "document");

  const resolved = (schema: Schema): Schema => {
    const { $ref: reference } = schema;
    if (typeof reference !== "string") return schema;
    return document.components.schemas[reference.replace(REFERENCE, "")] ?? {};
  };
  /** Of the schema at a place of the document, so that its references resolve. */
  const validatorAt = (...place: readonly string[]): ValidateFunction => {
    const escaped = place.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")));
    return ajv.compile({ $ref: `document#/paths/${escaped.join("/")}/schema` });
  };

  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => {
      if (operation === undefined) return [];
      const body = operation.requestBody?.content["application/json"]?.schema;
      const validateBody =
        body === undefined ? undefined : validatorAt(path, method, "requestBody", "content", "application/json");
      const validators = new Map(
        Object.entries(operation.responses).flatMap(([status, response]) =>
          Object.keys(response.content ?? {}).map((type) => [
            `${status} ${type}`,
            validatorAt(path, method, "responses", status, "content", type),
          ]),
        ),
      );
      const described: DescribedOperation = {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        // An empty one among them makes the others optional.
        needsToken: operation.security.length > 0 && operation.security.every((each) => Object.keys(each).length > 0),
        body: body === undefined ? undefined : resolved(body),
        isValidBody: (value) => validateBody?.(value) === true,
        faultOf: (status, contentType, json) => {
          const response = operation.responses[String(status)];
          if (response === undefined) return `status ${status} is not described`;
          const type = mediaType(contentType);
          if (response.content === undefined)
            return type === "" ? undefined : `${status} has a body that is not described`;
          if (!(type in response.content)) return `${status} with ${JSON.stringify(type)} is not described`;
          if (type === "text/event-stream") return undefined;
          const validate = validators.get(`${status} ${type}`);
          return validate === undefined || validate(json) ? undefined : ajv.errorsText(validate.errors);
        },
      };
      return [described];
    }),
  );
};
