/**
 * The key by which names and addresses are compared: canonical composition (NFC), case folded, in code: `lower()` in SQL
 * depends on the database's locale, and leaves `Đ` as it is under `C`. Upper case first, which unites `σ` and `ς`, `ß` and `ẞ`.
 */
export const comparisonKey = (text: string): string =>
  text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
