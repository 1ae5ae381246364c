import { createHash } from "node:crypto";
import { ProblemError } from "../problem.ts";

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/** SHA-256 in hex: the form in which an Idempotency-Key is stored. */
export const idempotencyKeyHash = (key: string): string => createHash("sha256").update(key).digest("hex");

/**
 * Reads the `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header-07). It is opaque: with quotes it is a
 * different key. Returns its SHA-256 in hex; undefined if there is none.
 *
 * @throws {ProblemError} `invalid_idempotency_key` unless it is 1 to 255 visible ASCII characters
 */
export const readIdempotencyKey = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined;
  if (!VISIBLE_ASCII.test(header)) throw new ProblemError("invalid_idempotency_key");
  return idempotencyKeyHash(header);
};
