import { describe, expect, test } from "bun:test";
import { shownName } from "./shown-name.ts";

describe("a name that is shown", () => {
  test.each([
    ["Nguyễn Văn A", "Nguyễn Văn A"],
    ["Trần Thị Bảo Ngọc", "Trần Thị Bảo Ngọc"],
    ["Dr. Smith", "Dr. Smith"],
    ["J. R. R. Tolkien", "J. R. R. Tolkien"],
    ["J.R.R. Tolkien", "J. R. R. Tolkien"],
    ["O'Brien", "O'Brien"],
    ["D’Arcy", "D’Arcy"],
    ["Anna-Lena", "Anna-Lena"],
    ["mai", "mai"],
    ["mai1990", "mai1990"],
    ["R2D2", "R2D2"],
    ["Louis 14", "Louis 14"],
    ["Müller, Jr.", "Müller, Jr."],
    ["محمد علي", "محمد علي"],
    ["山田太郎", "山田太郎"],
    ["Ольга", "Ольга"],
    ["<script>alert(1)</script>", "<script>alert(1)</script>"],
    ["Đỗ Thị Đào", "Đỗ Thị Đào"],
    ["Kim Dong", "Kim Dong"],
    // In one line, without what cannot be seen.
    ["Mai\r\nBcc: x", "Mai Bcc: x"],
    ["Mai\u2028Anh\u0085B", "Mai Anh B"],
    ["Ma\u200Bi\u202E", "Mai"],
    ["  Mai  ", "Mai"],
    // Shortened.
    ["a".repeat(41), `${"a".repeat(40)}…`],
    [`${"Mai ".repeat(15)}`, `${"Mai ".repeat(10).trim()}…`],
    ["👍 Mai", "👍 Mai"],
  ])("%j is shown as %j", (name, shown) => {
    expect(shownName(name)).toBe(shown);
  });
});

describe("a name that is not shown", () => {
  test.each([
    // Addresses on the web.
    "You won 1000$ https://evil.example/win",
    "https://evil.example",
    "HTTPS://EVIL",
    "javascript:alert(1)",
    "see //evil/win",
    "\\\\evil\\share",
    "evil.example",
    "Mai evil.example",
    "Mai (evil.example)",
    "www.x.y",
    "www evil",
    "t.me",
    "x.co",
    "J.K.Rowling",
    "😀.com",
    "bücher.example",
    "пример.рф",
    "例え。テスト",
    "evil．example",
    "evil｡example",
    "ｅｖｉｌ．ｅｘａｍｐｌｅ",
    "evil\u2024example",
    "evil.\u200Bexample",
    "ev\u00ADil.exam\u2060ple",
    "192.0.2.1",
    "1.1",
    // Of mail.
    "mai@inbox.example",
    "mai＠inbox",
    "mailto:mai",
    // Telephone numbers.
    "call +84 912 345 678",
    "+84",
    "0912345678",
    "call 0912-345-678",
    "gọi 0912 34 56 78",
    "٠٩١٢٣٤٥٦٧٨",
    "tel:113",
    "gọi 113",
    // Amounts.
    "1.000.000đ",
    "1,000 for you",
    "1'000",
    "500k",
    "5 triệu",
    "10 TỶ",
    "100 vnđ",
    "USD 50",
    "vnd50",
    "50 dollars",
    "€5",
    "5₫",
    "₿",
    "50%",
    "Win 1000 today",
    // Nothing to be seen.
    "",
    "   ",
    "\u200B",
    "...",
  ])("%j", (name) => {
    expect(shownName(name)).toBeUndefined();
  });
});

test("of what is shown, mail clients make no link, wherever a hostile part stands", () => {
  /** As linkifiers do: a scheme, `www.`, an address, or words joined by dots whose last one may be a domain. */
  const LINK = /\w:\/\/|www\.|\S@\S|\S[.。][\p{L}\p{N}]/iu;
  const parts = ["Mai", "evil", ".", "com", "/", ":", "@", " ", "\u200B", "www", "。", "1", "+", "-", "x", "\n"];
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let run = 0; run < 5_000; run += 1) {
    const name = Array.from({ length: 1 + random(8) }, () => parts[random(parts.length)]).join("");
    const shown = shownName(name);
    if (shown !== undefined) expect(shown).not.toMatch(LINK);
  }
});
