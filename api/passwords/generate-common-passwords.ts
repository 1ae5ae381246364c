import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { BITS_PER_WORD, everyBitOf } from "./common-passwords.ts";
import { foldPassword } from "./plain-rules.ts";
import { readingsOf, SHORTEST_WORD } from "./readings.ts";

/** Lines whose words are taken, too, by which far more passwords are refused. */
const MOST_COMMON = 100_000;
const WORD = new RegExp(`^[a-z]{${SHORTEST_WORD},}$`);

/**
 * Writes `common-passwords.bin` from a list with one password a line:
 *
 *     bun api/passwords/generate-common-passwords.ts 10-million-password-list-top-1000000.txt
 *
 * The list is SecLists' (https://github.com/danielmiessler/SecLists, MIT License), made from Mark Burnett's ten million
 * passwords, which he released into the public domain. Of its 999,999 lines, 43,940 are long enough for a signup and
 * differ by more than case; the first 100,000 are made of 58,491 words. SHA-256 of the list:
 * eac6323842b3261da0ef4c180c8e23f4d056522ea97c2925b8687f453b40a2be, of the filter (510,985 bytes):
 * 344094ded6ba1c977eeaae9a2f153f71532b1ca2bd56a0703113ac8e2b88efeb.
 */
const generate = (source: string): void => {
  const list = readFileSync(source);
  const lines = list
    .toString("utf8")
    .split(/\r?\n/)
    .map((line) => foldPassword(line));
  const passwords = new Set(lines.filter((line) => [...line].length >= 12 && [...line].length <= 128));
  const words = new Set(
    lines.slice(0, MOST_COMMON).flatMap((line) => [...readingsOf(line)].filter((word) => WORD.test(word))),
  );
  const all = new Set([...passwords, ...words]);
  const filter = Buffer.alloc(Math.ceil((all.size * BITS_PER_WORD) / 8));
  for (const word of all) {
    everyBitOf(word, filter.length * 8, (bit) => {
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
      return true;
    });
  }
  writeFileSync(join(import.meta.dir, "common-passwords.bin"), filter);
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  const counts = { passwords: passwords.size, words: words.size, all: all.size };
  console.log({ ...counts, list: sha256(list), bytes: filter.length, filter: sha256(filter) });
};

const source = argv[2];
if (source === undefined) throw new Error(`usage: bun ${argv[1]} LIST`);
generate(source);
