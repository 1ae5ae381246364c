import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { shapeFault } from "../json-shape.ts";
import { ProblemError } from "../problem.ts";
import { readJsonReports } from "./json-reports.ts";
import { readMailReport } from "./mail-report.ts";
import { REPORT_SHAPE, type ReadItem } from "./report.ts";

/** A report quotes the mail that it is about; providers send batches. */
const MAX_BODY_BYTES = 1_024 * 1_024;
/** Each may cost a statement's share, and a search for tokens. */
const MAX_ITEMS = 1_000;

/** SNS sends its JSON as plain text. */
const JSON_TYPES = new Set(["application/json", "text/plain"]);
const ACCEPTED = "message/rfc822, multipart/report, application/json";

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new ProblemError("reports_too_large", { headers: { Connection: "close" } });
  },
});

const readBytes = async (c: Context): Promise<Uint8Array> => {
  await limitBody(c, async () => {});
  return c.req.raw.bytes();
};

/** An object or an array: nothing else is a report. */
const parseJson = (bytes: Uint8Array): object => {
  let text: string;
  let body: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    body = JSON.parse(text);
  } catch (cause) {
    throw new ProblemError("malformed_json", { cause });
  }
  if (typeof body !== "object" || body === null) throw new ProblemError("malformed_json");
  if (shapeFault(text, REPORT_SHAPE) !== undefined) throw new ProblemError("malformed_json");
  return body;
};

/**
 * Reads the reports of a request: a mail (`message/rfc822`), the body of one (`multipart/report`), or JSON.
 *
 * @throws {ProblemError} `unsupported_media_type`, `reports_too_large` above 1 MiB or 1,000 items, `malformed_json`
 */
export const readItems = async (c: Context): Promise<readonly ReadItem[]> => {
  const contentType = c.req.header("content-type") ?? "";
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const isMail = type === "message/rfc822" || type === "multipart/report";
  const encoding = (c.req.header("content-encoding") ?? "identity").trim().toLowerCase();
  if ((!isMail && !JSON_TYPES.has(type)) || encoding !== "identity") {
    throw new ProblemError("unsupported_media_type", {
      headers: { Accept: ACCEPTED, "Accept-Post": ACCEPTED, "Accept-Encoding": "identity" },
    });
  }
  const bytes = await readBytes(c);
  if (type === "message/rfc822") return readMailReport(bytes);
  // The headers of the mail are those of the request; of these only its type is needed.
  if (isMail) return readMailReport(Buffer.concat([Buffer.from(`Content-Type: ${contentType}\r\n\r\n`), bytes]));
  const body = parseJson(bytes);
  if (Array.isArray(body) && body.length > MAX_ITEMS) throw new ProblemError("reports_too_large");
  const items = readJsonReports(body);
  // One of SES has a report for each recipient.
  if (items.length > MAX_ITEMS) throw new ProblemError("reports_too_large");
  return items;
};
