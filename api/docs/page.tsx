import { STYLE_HREF } from "../pages/style.ts";
import { type ApiDocument, operationsIn } from "./document.ts";
import { Operation } from "./operation.tsx";
import { Prose } from "./prose.tsx";
import { DOCS_STYLE_HREF } from "./style.ts";

/** The whole document as one page, which needs no script. */
export const DocsPage = ({ document, origin }: { readonly document: ApiDocument; readonly origin: string }) => {
  const { info, tags } = document;
  const byTag = Map.groupBy(operationsIn(document), ({ tags: [tag] }) => tag);
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${info.title} API`}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href={STYLE_HREF} />
        <link rel="stylesheet" href={DOCS_STYLE_HREF} />
      </head>
      <body class="docs">
        <main>
          <h1>{`${info.title} API`}</h1>
          <Prose text={info.description} />
          <p>
            For programs: <a href="/openapi.json">/openapi.json</a>
          </p>
          <nav aria-label="Operations">
            {tags.map(({ name }) => (
              <div>
                <b>{name}</b>
                <ul>
                  {(byTag.get(name) ?? []).map(({ operationId, summary }) => (
                    <li>
                      <a href={`#${operationId}`}>{summary}</a>
                    </li>
                  ))}
                </ul>
              </div>
            ))}
          </nav>
          {tags.map(({ name, description }) => (
            <>
              <h2>{name}</h2>
              <Prose text={description} />
              {(byTag.get(name) ?? []).map((operation) => (
                <Operation document={document} operation={operation} origin={origin} />
              ))}
            </>
          ))}
        </main>
      </body>
    </html>
  );
};
