/** HMAC-SHA256 of the parts, one after the other. Half of what `createHmac` takes, whose object is a stream as well. */
export const hmacSha256 = (key: Buffer, ...parts: readonly (string | Buffer)[]): Buffer => {
  const hasher = new Bun.CryptoHasher("sha256", key);
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};
