import fc from "fast-check";

/** Texts that have broken programs before: each is hostile to another layer. */
const KNOWN = [
  "",
  " ",
  "\0",
  "a\0b",
  "\r\nX-Injected: 1",
  "\u2028\u2029",
  "\ud800",
  "\udfff\ud800",
  "\u202egnp.exe",
  "\u200b\u200b",
  "a\u0301".repeat(200),
  "Ⅷ﷽".repeat(30),
  "ﬁﬂ",
  "İıſK",
  "💣".repeat(64),
  "'; drop table users; --",
  "' or 1=1 --",
  "$1",
  "$" + "{7*7}{{7*7}}<%= 7*7 %>",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "javascript:alert(1)",
  "../../../../etc/passwd",
  "..\\..\\windows",
  "file:///etc/passwd",
  "http://169.254.169.254/latest/meta-data",
  "%00%0d%0a%2e%2e%2f",
  "%s%n%x%99999d",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "NaN",
  "-1",
  "1e309",
  "9".repeat(400),
  "0x41",
  "{}",
  "[]",
  "a".repeat(5_000),
  "*",
  "\\",
  '"',
  "a@b.example, c@d.example",
  "a@[127.0.0.1]",
  '"a b"@c.example',
  "a@b.example\nBcc: c@d.example",
  "a%b@c.example",
  "a@xn--.example",
  "a@例え.テスト",
  `a@${"b.".repeat(120)}example`,
] as const;

/** Any text: known ones, Unicode of every kind, single code units that are no text at all. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<string>(...KNOWN) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom<string>(...KNOWN), fc.constantFrom<string>(...KNOWN))
      .map((two) => two.join("")),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 100 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 100 }) },
);

/** Bytes as a text of one character each, for requests that are written to a socket as they are. */
export const hostileBytes: fc.Arbitrary<string> = fc.oneof(
  hostileText.map((text) => Buffer.from(text.toWellFormed()).toString("latin1")),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);
