import { openDatabase } from "../../database/connection.ts";
import { anApp } from "../app-for-tests.ts";

const HEADER = `// Made by \`bun run generate\` from the OpenAPI document, with openapi-typescript. Not to be edited.

`;

/** openapi-typescript prints by an API of the compiler that TypeScript 7 no longer has, so it is given the one of version 6. */
const openapiTypescript = async () => {
  Bun.plugin({
    name: "an older compiler for openapi-typescript",
    setup: (build) => {
      build.module("typescript", async () => ({
        loader: "object",
        exports: { default: (await import("@typescript/typescript6")).default },
      }));
    },
  });
  return import("openapi-typescript");
};

/** The types of the client in docs/examples/: path from the root -> content. */
export const clientFiles = async (): Promise<ReadonlyMap<string, string>> => {
  // Never connected to: the document needs no database.
  await using db = openDatabase({
    url: "postgres://nobody@127.0.0.1:1/none",
    poolSize: 1,
    applicationName: "generate",
  });
  const document = await (await anApp(db).app.request("/openapi.json")).text();
  const { default: typesOf, astToString } = await openapiTypescript();
  // What has a default may be left out of a request.
  const types = await typesOf(document, { defaultNonNullable: false });
  return new Map([["docs/examples/typescript/api.ts", HEADER + astToString(types)]]);
};
