/** An address that only those who know it recognise: `a***@example.org`. */
export const maskedAddress = (address: string): string => {
  const at = address.lastIndexOf("@");
  return at < 0 ? masked(address) : `${masked(address.slice(0, at))}${address.slice(at)}`;
};

/** The first character of a text: `n***`. */
export const masked = (text: string): string => `${[...text][0] ?? ""}***`;
