/**
 * The key by which names and addresses are compared: canonical composition (NFC) and case taken away, in code. `lower()` in
 * SQL depends on the database's locale, and knows no `Đ` under `C`. Upper case first: it joins `σ` and `ς`, `ß` and `ẞ`.
 */
export const comparisonKey = (text: string): string =>
  text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
