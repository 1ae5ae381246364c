import { curlOf } from "./curl.ts";
import type { ApiDocument, ApiOperation, Content, Response } from "./document.ts";
import { Prose } from "./prose.tsx";
import { SchemaList, typeOf } from "./schema-list.tsx";

interface OperationProps {
  readonly document: ApiDocument;
  readonly operation: ApiOperation;
  readonly origin: string;
}

const shown = (value: unknown): string => JSON.stringify(value, null, 2);

const tokenText = (security: ApiOperation["security"]): string => {
  if (security.length === 0) return "Anybody may call it.";
  return security.some((each) => Object.keys(each).length === 0)
    ? "Anybody may call it; with the service token it shows more."
    : "Needs the service token, as a bearer token.";
};

const Body = ({ document, content }: { readonly document: ApiDocument; readonly content: Content }) => (
  <>
    {Object.entries(content).map(([type, { schema, example }]) => (
      <>
        <p class="soft">{type}</p>
        <Prose text={schema.$ref === undefined ? schema.description : undefined} />
        <SchemaList document={document} schema={schema} />
        {example === undefined ? null : (
          <pre>
            <code>{shown(example)}</code>
          </pre>
        )}
      </>
    ))}
  </>
);

const Problems = ({ content }: { readonly content: Content }) => {
  const examples = content["application/problem+json"]?.examples ?? {};
  return (
    <ul class="codes">
      {Object.keys(examples).map((code) => (
        <li>
          <a href={`/problems/${code}?lang=en`}>
            <code>{code}</code>
          </a>
        </li>
      ))}
    </ul>
  );
};

const Answer = (props: { readonly document: ApiDocument; readonly status: string; readonly response: Response }) => {
  const { document, status, response } = props;
  const isProblem = "application/problem+json" in response.content;
  return (
    <li>
      <p>
        <b>{status}</b> {response.description}
      </p>
      {Object.entries(response.headers).map(([name, { description }]) => (
        <p class="soft">
          <code>{name}</code> {description}
        </p>
      ))}
      {isProblem ? <Problems content={response.content} /> : <Body document={document} content={response.content} />}
    </li>
  );
};

/** How to call an operation, and everything that it may answer. */
const Details = ({ document, operation, origin }: OperationProps) => {
  const { description, security, parameters, requestBody, responses } = operation;
  return (
    <>
      <Prose text={description} />
      <p class="soft">{tokenText(security)}</p>
      <pre>
        <code>{curlOf(operation, origin)}</code>
      </pre>
      {parameters.length === 0 ? null : (
        <>
          <h4>Parameters</h4>
          <ul class="fields">
            {parameters.map((parameter) => (
              <li>
                <code>{parameter.name}</code>{" "}
                <span class="soft">
                  {`${parameter.in}, ${typeOf(document, parameter.schema)}${parameter.required ? "" : ", optional"}`}
                </span>
                <Prose text={parameter.description} />
              </li>
            ))}
          </ul>
        </>
      )}
      {requestBody === undefined ? null : (
        <>
          <h4>Body</h4>
          <Body document={document} content={requestBody.content} />
        </>
      )}
      <h4>Answers</h4>
      <ul class="answers">
        {Object.entries(responses).map(([status, response]) => (
          <Answer document={document} status={status} response={response} />
        ))}
      </ul>
    </>
  );
};

/** One operation, folded: a browser opens it for a link to what is in it, and for a search. */
export const Operation = (props: OperationProps) => {
  const { operationId, method, path, summary } = props.operation;
  return (
    <section class="panel" aria-labelledby={`${operationId}-title`}>
      <details>
        <summary>
          <h3 id={`${operationId}-title`}>{summary}</h3>
          <span class="call">
            <b>{method}</b> <code>{path}</code>
          </span>
        </summary>
        <div id={operationId} class="operation">
          <Details {...props} />
        </div>
      </details>
    </section>
  );
};
