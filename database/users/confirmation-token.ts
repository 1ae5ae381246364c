import { createHash, timingSafeEqual } from "node:crypto";
import { hmacSha256 } from "../../runtime/hmac.ts";

/** What a token says, whoever presents it. */
export type ConfirmationToken =
  | { readonly kind: "valid"; readonly userId: string; readonly hash: string }
  /** It was ours, and is too old. */
  | { readonly kind: "expired"; readonly userId: string }
  /** Not one of ours, or changed on the way. */
  | { readonly kind: "invalid" };

const USER_ID_BYTES = 16;
const EXPIRY_BYTES = 6;
const PAYLOAD_BYTES = USER_ID_BYTES + EXPIRY_BYTES;
/** 54 bytes are 72 characters without a spare bit, so that a token has one spelling. */
const TOKEN = /^[A-Za-z0-9_-]{72}$/;

const toUuid = (bytes: Buffer): string =>
  bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/**
 * Makes the token of a link that confirms a user's address: user id and expiry, signed (HMAC-SHA256), 72 characters of
 * base64url. Nothing has to be written before the mail is sent, and every link that was mailed works until it expires.
 */
export const signConfirmation = (
  key: Buffer,
  { userId, expiresAtMs }: { readonly userId: string; readonly expiresAtMs: number },
): string => {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.write(userId.replaceAll("-", ""), "hex");
  payload.writeUIntBE(expiresAtMs, USER_ID_BYTES, EXPIRY_BYTES);
  return Buffer.concat([payload, hmacSha256(key, payload)]).toString("base64url");
};

/** Reads a token; `hash` is what may be stored of it, SHA-256 in hex. The signature is compared in constant time. */
export const readConfirmation = (key: Buffer, token: string, nowMs: number): ConfirmationToken => {
  if (!TOKEN.test(token)) return { kind: "invalid" };
  const bytes = Buffer.from(token, "base64url");
  const payload = bytes.subarray(0, PAYLOAD_BYTES);
  if (!timingSafeEqual(bytes.subarray(PAYLOAD_BYTES), hmacSha256(key, payload))) return { kind: "invalid" };
  const userId = toUuid(payload.subarray(0, USER_ID_BYTES));
  if (payload.readUIntBE(USER_ID_BYTES, EXPIRY_BYTES) <= nowMs) return { kind: "expired", userId };
  return { kind: "valid", userId, hash: createHash("sha256").update(token).digest("hex") };
};
