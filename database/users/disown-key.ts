import { createHmac } from "node:crypto";

/**
 * The key that signs links by which somebody disowns an account, derived from that of the links to confirm an address: a token of
 * one kind is none of the other.
 */
export const disownKeyOf = (confirmationKey: Buffer): Buffer =>
  createHmac("sha256", confirmationKey).update("disown").digest();
