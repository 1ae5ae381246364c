import { randomBytes } from "node:crypto";

const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

/**
 * The hash of no password that anybody knows (argon2id, PHC string): of random bytes that were never computed from one. Whoever tries to log
 * in is refused, after the same time as with any wrong password, until the hash is replaced.
 */
export const unknownPassword = (): string =>
  `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(randomBytes(16))}$${unpadded(randomBytes(32))}`;
