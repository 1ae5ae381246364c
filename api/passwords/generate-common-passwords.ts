import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { BITS_PER_PASSWORD, everyBitOf } from "./common-passwords.ts";
import { foldPassword } from "./plain-rules.ts";

/**
 * Writes `common-passwords.bin` from a list with one password a line:
 *
 *     bun api/passwords/generate-common-passwords.ts 10-million-password-list-top-1000000.txt
 *
 * The list is SecLists' (https://github.com/danielmiessler/SecLists, MIT License), made from Mark Burnett's ten million
 * passwords, which he released into the public domain. Of its 999,999 lines, 43,940 are long enough for a signup and
 * differ by more than case. SHA-256 of the list:
 * eac6323842b3261da0ef4c180c8e23f4d056522ea97c2925b8687f453b40a2be, of the filter (109,850 bytes):
 * b1c39b2b44afa2c93623dafd4c22c951cd0afbc1fcef5c28b7655dd6a41ab107.
 */
const generate = (source: string): void => {
  const list = readFileSync(source);
  const passwords = new Set(
    list
      .toString("utf8")
      .split(/\r?\n/)
      .map((line) => foldPassword(line))
      .filter((line) => [...line].length >= 12 && [...line].length <= 128),
  );
  const filter = Buffer.alloc(Math.ceil((passwords.size * BITS_PER_PASSWORD) / 8));
  for (const password of passwords) {
    everyBitOf(password, filter.length * 8, (bit) => {
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
      return true;
    });
  }
  writeFileSync(join(import.meta.dir, "common-passwords.bin"), filter);
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  console.log({ passwords: passwords.size, list: sha256(list), bytes: filter.length, filter: sha256(filter) });
};

const source = argv[2];
if (source === undefined) throw new Error(`usage: bun ${argv[1]} LIST`);
generate(source);
