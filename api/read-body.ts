import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Turn } from "../runtime/slots.ts";
import { createTimeLimit } from "../runtime/time-limit.ts";
import { isFlatObject, shapeFault } from "./json-shape.ts";
import { ProblemError } from "./problem.ts";

/** The largest body that is read. */
export const MAX_BODY_BYTES = 16 * 1024;

/** From the first byte that is asked for to the last: whoever sends a byte now and then is never idle. */
const DEADLINE_MS = 10_000;
/** A body that takes longer gives up its client's turn. Most are there with their head. */
const SLOW_MS = 250;
/** What is left of the body would be taken for the next request. */
const LAST = { headers: { Connection: "close" } };

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new ProblemError("body_too_large", LAST);
  },
});

/** A body without a declared length is counted as it comes. */
const readUndeclared = async (c: Context): Promise<Uint8Array> => {
  await limitBody(c, async () => {});
  return c.req.raw.bytes();
};

const readBytes = (c: Context): Promise<Uint8Array> => {
  const { raw } = c.req;
  const declared = raw.headers.get("content-length");
  if (declared === null || raw.headers.has("transfer-encoding")) return readUndeclared(c);
  if (Number.parseInt(declared, 10) > MAX_BODY_BYTES) throw new ProblemError("body_too_large", LAST);
  return raw.bytes();
};

const withDeadline = <Read>(reading: Promise<Read>, ms: number): Promise<Read> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ProblemError("body_too_slow", LAST)), ms);
    const andStop =
      <Value>(settle: (value: Value) => void) =>
      (value: Value) => {
        clearTimeout(timer);
        settle(value);
      };
    reading.then(andStop(resolve), andStop(reject));
  });

/** Without timers of its own a body costs half as much to read. */
const untilSlow = createTimeLimit(SLOW_MS);

/** `setAside`: where requests take turns. */
const inTime = <Read>(reading: Promise<Read>, deadlineMs: number, turn?: Pick<Turn, "setAside">): Promise<Read> =>
  new Promise((resolve, reject) => {
    const wait = untilSlow.begin(() => {
      const slowly = withDeadline(reading, deadlineMs - SLOW_MS);
      resolve(turn === undefined ? slowly : turn.setAside(slowly));
    });
    reading.then(
      (read) => {
        untilSlow.end(wait);
        resolve(read);
      },
      (error: unknown) => {
        untilSlow.end(wait);
        reject(error);
      },
    );
  });

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

const decoded = (bytes: Uint8Array, onBadText: "malformed_json" | "bad_request"): string => {
  try {
    return UTF_8.decode(bytes);
  } catch (cause) {
    throw new ProblemError(onBadText, { cause });
  }
};

/**
 * The body as text, whether its length was declared or not (chunked). The limit is applied here rather than as
 * middleware, so that a wrong media type is reported first, and a page can answer with a page.
 *
 * @throws {ProblemError} `unsupported_media_type` if it is compressed; `body_too_large` above 16 KiB; `body_too_slow` after
 *   10 s; `onBadText` if it is not UTF-8: replacement characters would silently become part of a name or of a password
 */
export const readText = async (
  c: Context,
  onBadText: "malformed_json" | "bad_request",
  deadlineMs = DEADLINE_MS,
): Promise<string> => {
  if ((c.req.header("content-encoding") ?? "identity").trim().toLowerCase() !== "identity") {
    throw new ProblemError("unsupported_media_type", { headers: { "Accept-Encoding": "identity" } });
  }
  const setAside = c.get("setAside");
  return decoded(await inTime(readBytes(c), deadlineMs, setAside && { setAside }), onBadText);
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProblemError("malformed_json", { cause });
  }
};

/** The JSON of a text, if every reader understands it alike, and it is cheap to handle. @throws {ProblemError} `malformed_json` */
const jsonOf = (text: string): unknown => {
  const value = parseJson(text);
  if (!isFlatObject(text, value) && shapeFault(text) !== undefined) throw new ProblemError("malformed_json");
  return value;
};

/**
 * The body as JSON that every reader understands alike, and that is cheap to handle.
 *
 * @throws {ProblemError} `malformed_json`, and what `readText` throws
 */
export const readJson = async (c: Context): Promise<unknown> => jsonOf(await readText(c, "malformed_json"));

/** Reads the body of a request whose head was looked at: neither compressed nor chunked, and its length is declared and not too large. */
export const readSmallBody = (request: Request, turn: Pick<Turn, "setAside">): Promise<Uint8Array> =>
  inTime(request.bytes(), DEADLINE_MS, turn);

/** The JSON of such a body, as `readJson` has it. @throws {ProblemError} `malformed_json` */
export const jsonOfBody = (body: Uint8Array): unknown => jsonOf(decoded(body, "malformed_json"));

/** The type and subtype of a `Content-Type`, in lower case; undefined if it names another charset than UTF-8. */
const mediaTypeOf = (contentType: string | undefined): string | undefined => {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const charsets = parameters.map((parameter) => /^\s*charset="?([^"\s]*)"?\s*$/.exec(parameter)?.[1] ?? "");
  return charsets.every((charset) => /^(?:utf-?8)?$/.test(charset)) ? type.trim() : undefined;
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
