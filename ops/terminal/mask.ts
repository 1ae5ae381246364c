/** An address that tells who it is only to those who know it already: `a***@example.org`. */
export const maskedAddress = (address: string): string => {
  const at = address.lastIndexOf("@");
  return at < 0 ? masked(address) : `${masked(address.slice(0, at))}${address.slice(at)}`;
};

/** The first character of a name: `n***`. */
export const masked = (text: string): string => `${[...text][0] ?? ""}***`;
