import type { ApiOperation } from "./document.ts";

const JSON_TYPE = "application/json";

/** For a shell: in single quotes, as it stands. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A command line that calls the operation with the document's own examples. Pure. */
export const curlOf = (
  { method, path, security, parameters, requestBody, responses }: ApiOperation,
  origin: string,
): string => {
  const exampleOf = (name: string): string =>
    encodeURIComponent(String(parameters.find((parameter) => parameter.name === name)?.example ?? name));
  const url = `${origin}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => exampleOf(name))}`;
  const needsToken = security.length > 0 && security.every((each) => Object.keys(each).length > 0);
  const body = requestBody?.content[JSON_TYPE]?.example;
  const key = parameters.find(({ name }) => name === "Idempotency-Key")?.example;
  const isStream = Object.values(responses).some(({ content }) => "text/event-stream" in content);
  const flags = [
    ...(isStream ? ["-N"] : []),
    ...(method === "GET" || body !== undefined ? [] : [`-X ${method}`]),
    ...(needsToken ? [`-H "Authorization: Bearer $SERVICE_TOKEN"`] : []),
    ...(key === undefined ? [] : [`-H ${quoted(`Idempotency-Key: ${key}`)}`]),
    ...(body === undefined ? [] : [`-H ${quoted(`Content-Type: ${JSON_TYPE}`)}`, `-d ${quoted(JSON.stringify(body))}`]),
  ];
  return [`curl ${url}`, ...flags].join(" \\\n  ");
};
