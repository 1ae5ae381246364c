import { z } from "zod";
import { PAYLOADS } from "./payload.ts";

/** Where the schemas are published, from the root. */
const FOLDER = "docs/schemas/webhooks";

/**
 * For `bun run generate`: the JSON Schema (draft 2020-12) of `data` by type; path from the root -> content. The type is the
 * version. Members that are not listed are allowed, because one that is added keeps the version.
 */
export const webhookSchemaFiles = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(PAYLOADS).map(([type, payload]) => {
      const { $schema, ...schema } = z.toJSONSchema(payload, {
        target: "draft-2020-12",
        io: "input",
        // The format says it better than the pattern that stands for it.
        override: ({ jsonSchema }) => {
          if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
        },
      });
      const about = `\`data\` of a webhook of the type ${type}. Written by \`bun run generate\`.`;
      const document = { $schema, title: type, description: about, ...schema };
      return [`${FOLDER}/${type}.json`, `${JSON.stringify(document, undefined, 2)}\n`];
    }),
  );
