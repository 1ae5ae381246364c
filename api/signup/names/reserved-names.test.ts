import { expect, test } from "bun:test";
import fc from "fast-check";
import { createReservedNames } from "./reserved-names.ts";

const reserved = createReservedNames(["Toblug", "Hp", "X7"]);

/** The same name behind a dot, which says nothing: it has no first word to look at. */
const behindDot = (name: string): string => `.${name}`;

const word = fc.constantFrom(
  ...[
    "admin",
    "adrnin",
    "root",
    "toblug",
    "hp",
    "x7",
    "news",
    "www",
    "mailer-daemon",
    "ssl-admin",
    "team",
    "hỗ trợ",
    "админ",
  ],
  ...[
    "4dmin",
    "ad",
    "b0b",
    "r00t",
    "t3am",
    "$taff",
    "he1p",
    "Hoa",
    "Arnold",
    "minh",
    "prn",
    "ftpr",
    "5taff",
    "1nfo",
    "Ädmin",
  ],
);
const part = fc.oneof(
  word,
  fc.string({ maxLength: 4 }),
  fc.constantFrom(" ", "-", "", "7", "2024 ", "12345", "!", "n", "ｎ", "the", ".com"),
);
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));

test("a look at the beginning of a name spares no reserved one: whatever follows, it is judged as it is without one", () => {
  const verdicts = new Set<boolean>();
  fc.assert(
    fc.property(name, (each) => {
      const verdict = reserved.has(each);
      verdicts.add(verdict);
      expect(verdict).toBe(reserved.has(behindDot(each)));
    }),
    { numRuns: 20_000, seed: 96 },
  );
  expect(verdicts.size).toBe(2);
});
