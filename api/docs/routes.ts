import { dirname, join } from "node:path";
import type { Hono, MiddlewareHandler } from "hono";
import { resource } from "../resource.ts";

/** What the page of swagger-ui needs: its own script and styles, and calls to this API. Nothing from another origin. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "object-src 'none'",
].join("; ");

/** Replaces the pages' policy, which forbids all scripts. */
export const docsPolicy: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Content-Security-Policy", CONTENT_SECURITY_POLICY);
};

const page = (brandName: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${Bun.escapeHTML(brandName)} API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<noscript>The description of this API is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });\n`;

const FILES: Readonly<Record<string, string>> = {
  "favicon-32x32.png": "image/png",
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

/** `GET /docs`: the API's description as a page, from the package's own files; it works offline. */
export const addDocs = (app: Hono, brandName: string): void => {
  const folder = dirname(Bun.resolveSync("swagger-ui-dist/package.json", import.meta.dir));
  resource(app, "/docs", {
    get: (c) => c.html(page(brandName)),
  });
  resource(app, "/docs/start.js", {
    get: (c) => c.body(START, 200, { "Content-Type": "text/javascript; charset=utf-8" }),
  });
  for (const [name, type] of Object.entries(FILES)) {
    resource(app, `/docs/${name}`, {
      get: (c) =>
        c.body(Bun.file(join(folder, name)).stream(), 200, { "Content-Type": type, "Cache-Control": "max-age=3600" }),
    });
  }
};
