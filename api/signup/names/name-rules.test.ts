import { expect, test } from "bun:test";
import { createNameRules } from "./name-rules.ts";

const faultsOf = createNameRules({ brandName: "Toblug" });

test.each([
  // People's names.
  ["Nguyễn Văn A 7"],
  ["Nguyễn Văn A 7".normalize("NFD")],
  ["Đặng Thị Hồng Nhung"],
  ['O\'Brien "x"'],
  ["O’Brien-Łukasiewicz"],
  ["Ünïcodé ſtraße"],
  ["Иван Петров"],
  ["Γιώργος"],
  ["名前テスト"],
  ["山田 taro"],
  ["ヤマダtarō"],
  ["Ｔａｒｏ ヤマダ"],
  ["김철수Kim"],
  ["陳大文David"],
  ["محمد"],
  ["דוד"],
  ["สมชาย"],
  ["ወልደ"],
  ["ᏣᎳᎩ"],
  // Joiners where their script needs them: Persian, Hindi, Sinhala, Bengali; a Japanese variant of an ideograph.
  ["می\u200cخواهم"],
  ["क्\u200dष"],
  ["ශ්\u200dරී"],
  ["র\u200d্যাব"],
  ["葛\u{E0100}城"],
  // Words of different scripts beside each other.
  ["Иван Smith"],
  ["ИТ-team"],
  ["user_Иван"],
  ["محمد Ali"],
  ["user-123"],
  ["user-l"],
  ["<b>x</b>"],
  ["<script>alert(1)</script>"],
  ["{{7*7}} %s"],
  ["administrators of nothing"],
  ["Roots"],
  ["Adrian"],
  ["The Edge"],
  ["Support Smith"],
  ["2 4"],
  // Marks as languages have them: Vietnamese, Hebrew with points and accents, Thai, Burmese, Tibetan.
  ["Nguyễn Thị Hường".normalize("NFD")],
  ["בְּרֵאשִׁ֖ית"],
  ["น้ำ ผึ้ง"],
  ["မြင့်မြတ်"],
  ["བསྒྲུབས"],
  ["Mall"],
  ["new5"],
  ["Нина Попова"],
  ["Тимур"],
  ["Дом 5"],
  ["Ж@нна"],
  // Emoji.
  ["👍"],
  ["👩‍👩‍👧"],
  ["👩🏽‍🦰 Ann"],
  ["❤️‍🔥"],
  ["🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}"],
  ["🇻🇳"],
  ["1️⃣"],
  ["☎︎ ☎️"],
  ["Bob👁️‍🗨️"],
])("the name %p is legal", (name) => {
  expect(faultsOf(name)).toEqual([]);
});

test.each([
  ["ad\u200bmin", "zero width space"],
  ["\u200bBob", "at the beginning"],
  ["Bob\u200d", "a joiner without anything to join"],
  ["B\u200cob", "a non-joiner among Latin letters"],
  ["Bob\ufe0f", "a selector after a letter"],
  ["Bo\u00adb", "soft hyphen"],
  ["Bo\u2060b", "word joiner"],
  ["Bo\ufeffb", "byte order mark"],
  ["Bo\u3164b", "Hangul filler"],
  ["Bo\u115fb", "Hangul filler, initial"],
  ["Bo\uffa0b", "Hangul filler, half width"],
  ["Bo\u2800b", "empty Braille cell"],
  ["Bo\u034fb", "combining grapheme joiner"],
  ["Bo\u180eb", "Mongolian vowel separator"],
  ["Bo\u2063b", "invisible separator"],
  ["Bob\u{E0061}\u{E007F}", "tags"],
  ["👍\u{E0061}\u{E007F}", "tags after an emoji"],
  ["👩\u200d", "an emoji that ends with a joiner"],
  ["Bo\ufff9b", "annotation"],
])("the name %p is refused for its hidden characters: %s", (name) => {
  expect(faultsOf(name)).toEqual(["user_name_hidden_characters"]);
});

test.each([
  ["pаypal", "Cyrillic а"],
  ["p\u200aаypal", "a narrow space does not end a word"],
  ["Hοa", "Greek ο"],
  ["gօօgle", "Armenian օ"],
  ["gഠഠgle", "Malayalam ഠ"],
  ["Ꮪtephen7", "Cherokee Ꮪ"],
  ["Иvan", "Cyrillic and Latin"],
  ["αбв", "Greek and Cyrillic"],
  ["カタカナㄅ", "Katakana and Bopomofo"],
  ["Hà Nội pаy", "in one of several words"],
])("the name %p is refused, for it mixes scripts: %s", (name) => {
  expect(faultsOf(name)).toEqual(["user_name_mixed_scripts"]);
});

test.each([
  ["admin"],
  ["ADMIN"],
  ["Administrator"],
  ["postmaster"],
  ["Post Master"],
  ["root"],
  ["r00t"],
  ["adm1n"],
  ["adrnin"],
  ["support"],
  ["Security!"],
  ["abuse"],
  ["no-reply"],
  ["mailer daemon"],
  ["ａｄｍｉｎ"],
  ["𝐚𝐝𝐦𝐢𝐧"],
  ["ⓐⓓⓜⓘⓝ"],
  ["🅰🅳🅼🅸🅽"],
  ["ᴀᴅᴍɪɴ"],
  ["ɑdmin"],
  ["аdmin"],
  ["а.d.m.i.n"],
  ["ạdmin"],
  ["Ádmín"],
  ["a d m i n"],
  ["✓ admin"],
  ["Quản trị viên"],
  ["hỗ trợ"],
  ["Toblug"],
  ["T0BLUG"],
  ["admin24"],
  ["Administrator1"],
  ["Ａｄｍｉｎ２"],
  ["support٢"],
  ["@dmin"],
  ["4dm!n"],
  ["$upp0rt"],
  ["5ecurity Te@m"],
  ["аԁміп"],
  ["ноѕтмаѕтег"],
  ["гоот"],
  ["Тоblug"],
  ["администратор"],
  ["管理员"],
])("the name %p is reserved", (name) => {
  expect(faultsOf(name.normalize("NFC"))).toEqual(["user_name_reserved"]);
});

test.each([
  ["Toblug Support"],
  ["the Toblug team"],
  ["Security Team"],
  ["toblug.com"],
  ["Support2-Toblug.VN"],
  ["ADMIN 2"],
  ["Adm1n-Team"],
  ["2024 admin"],
  ["247365 support"],
  ["Official Support (24)"],
  ["Support\u2003Team"],
  ["suppоrt ✓ team"],
])("the name %p, in which each word is reserved or says nothing, is reserved", (name) => {
  expect(faultsOf(name)).toEqual(["user_name_reserved"]);
});

test.each([
  ["Zo\u0301\u0301e", "one mark twice"],
  ["Z\u0316\u0317\u0318\u0319\u031Co", "five marks"],
  ["Z\u0301\u0300\u0302\u0303\u0304oe", "five marks, of which one is composed"],
  ["\u0301Zoe", "a mark at the beginning"],
  ["Zoe \u0301Doe", "a mark on a space"],
  ["Z\u20DD\u20DDoe", "enclosing marks"],
])("the name %p is refused for its marks: %s", (name) => {
  expect(faultsOf(name.normalize("NFC"))).toEqual(["user_name_marks"]);
});

test("a whole word of another script that looks like a reserved name is refused", () => {
  // All Cyrillic, all Greek, all Cherokee.
  const rules = createNameRules({ brandName: "Соросо" });
  for (const name of ["copoco", "сорoсo", "ϲοροϲο"]) expect(rules(name)).toEqual(["user_name_reserved"]);
});
