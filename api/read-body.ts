import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { ProblemError } from "./problem.ts";

/** The largest body that is read. */
const MAX_BODY_BYTES = 16 * 1024;

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new ProblemError("body_too_large", { headers: { Connection: "close" } });
  },
});

/**
 * The body as text, whether its length was declared or not (chunked). The limit is applied here rather than as
 * middleware, so that a wrong media type is reported first, and a page can answer with a page.
 *
 * @throws {ProblemError} `unsupported_media_type` if it is compressed; `body_too_large` above 16 KiB; `onBadText` if it is not UTF-8: replacement characters would
 *   silently become part of a name or of a password
 */
export const readText = async (c: Context, onBadText: "malformed_json" | "bad_request"): Promise<string> => {
  if ((c.req.header("content-encoding") ?? "identity").trim().toLowerCase() !== "identity") {
    throw new ProblemError("unsupported_media_type", { headers: { "Accept-Encoding": "identity" } });
  }
  await limitBody(c, async () => {});
  const bytes = await c.req.raw.bytes();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProblemError(onBadText, { cause });
  }
};

/**
 * The body as JSON.
 *
 * @throws {ProblemError} `malformed_json`, and what `readText` throws
 */
export const readJson = async (c: Context): Promise<unknown> => {
  const text = await readText(c, "malformed_json");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProblemError("malformed_json", { cause });
  }
};

/** The type and subtype of a `Content-Type`, in lower case; undefined if its charset is another than UTF-8. */
const mediaTypeOf = (contentType: string | undefined): string | undefined => {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const charset = parameters.map((parameter) => /^\s*charset="?([^"\s]*)"?\s*$/.exec(parameter)?.[1]).find(Boolean);
  return charset === undefined || charset === "utf-8" || charset === "utf8" ? type.trim() : undefined;
};

const unsupported = (accepted: string) =>
  new ProblemError("unsupported_media_type", { headers: { Accept: accepted, "Accept-Post": accepted } });

/** @throws {ProblemError} `unsupported_media_type` unless it is `application/json` or `application/*+json`, in UTF-8 */
export const requireJson = (contentType: string | undefined): void => {
  if (contentType === "application/json") return;
  if (!/^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)$/.test(mediaTypeOf(contentType) ?? "")) {
    throw unsupported("application/json");
  }
};

/** @throws {ProblemError} `unsupported_media_type` unless it is what an HTML form sends by default */
export const requireForm = (contentType: string | undefined): void => {
  const accepted = "application/x-www-form-urlencoded";
  if (mediaTypeOf(contentType) !== accepted) throw unsupported(accepted);
};
