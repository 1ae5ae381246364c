import { readFileSync } from "node:fs";
import { foldPassword } from "./plain-rules.ts";
import { readingsOf } from "./readings.ts";

/** The most common passwords, as a Bloom filter. */
export interface CommonPasswords {
  /**
   * Whether a password is among them as one of its readings, or is one of their words with digits and signs at its ends; wrongly so for
   * fewer than one in a million.
   */
  has(password: string): boolean;
}

/** Of the word that is asked for just now. */
const digest = Buffer.alloc(32);

/** Bits set for each word: with 40 bits of the filter for each, one in 250 million others has all of its own set. */
const HASHES = 28;
export const BITS_PER_WORD = 40;

/**
 * Whether all bits of a word are so, in a filter of `size`: asked until one is not. Two parts of its SHA-256 make all of them
 * (Kirsch, Mitzenmacher); the cube keeps them apart where the second one divides the size (Dillinger, Manolios).
 */
export const everyBitOf = (word: string, size: number, isSo: (bit: number) => boolean): boolean => {
  Bun.SHA256.hash(word, digest);
  const first = digest.readUIntBE(0, 6);
  const step = digest.readUIntBE(6, 6);
  for (let index = 0; index < HASHES; index += 1) if (!isSo((first + index * step + index ** 3) % size)) return false;
  return true;
};

const FILE = new URL("./common-passwords.bin", import.meta.url);

/**
 * Reads the filter: all passwords of 12 to 128 characters among the million most common ones, which are more than are left of
 * the 100,000 most common, and the words that the 100,000 are made of. Written by `generate-common-passwords.ts`, which names the source.
 *
 * @throws if the file is missing
 */
export const openCommonPasswords = (): CommonPasswords => {
  const filter = readFileSync(FILE);
  const isSet = (bit: number): boolean => ((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  return {
    has(password) {
      // The first bit that is not set is the answer: for most words one of the first two.
      for (const word of readingsOf(foldPassword(password))) {
        if (everyBitOf(word, filter.length * 8, isSet)) return true;
      }
      return false;
    },
  };
};
