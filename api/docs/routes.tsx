import type { Hono } from "hono";
import { resource } from "../resource.ts";
import { readApiDocument } from "./document.ts";
import { DocsPage } from "./page.tsx";
import { DOCS_STYLE } from "./style.ts";

export interface DocsDeps {
  /** The text of the OpenAPI document. */
  readonly documentText: () => Promise<string>;
  /** Where the examples call. */
  readonly origin: string;
}

/** `GET /docs`: the OpenAPI document as a page for people. Made once: it is the same for everybody. */
export const addDocs = (app: Hono, { documentText, origin }: DocsDeps): void => {
  let html: Promise<string> | undefined;
  const render = async (): Promise<string> => {
    const document = readApiDocument(await documentText());
    return `<!DOCTYPE html>${await (<DocsPage document={document} origin={origin} />).toString()}`;
  };
  resource(app, "/docs", {
    get: async (c) => {
      html ??= render();
      return c.html(await html, 200, { "Cache-Control": "no-cache", "Content-Language": "en" });
    },
  });
  resource(app, "/docs/style.css", {
    get: (c) =>
      c.body(DOCS_STYLE, 200, {
        "Content-Type": "text/css; charset=utf-8",
        "Cache-Control": "public, max-age=31536000, immutable",
      }),
  });
};
