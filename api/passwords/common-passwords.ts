import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { foldPassword } from "./plain-rules.ts";

/** The most common passwords, as a Bloom filter. */
export interface CommonPasswords {
  /** Whether a password is among them, without regard to case; wrongly so for fewer than one in 10,000. */
  has(password: string): boolean;
}

/** Bits set for each password: with 20 bits of the filter for each, fewer than one in 10,000 others has all of its own set. */
const HASHES = 14;
export const BITS_PER_PASSWORD = 20;

/**
 * Whether all bits of a password are so, in a filter of `size`: asked until one is not. Two parts of its SHA-256 make all of them
 * (Kirsch, Mitzenmacher).
 */
export const everyBitOf = (password: string, size: number, isSo: (bit: number) => boolean): boolean => {
  const digest = hash("sha256", foldPassword(password), "buffer");
  const [first, step] = [digest.readUIntBE(0, 6), digest.readUIntBE(6, 6)];
  for (let index = 0; index < HASHES; index += 1) if (!isSo((first + index * step) % size)) return false;
  return true;
};

const FILE = new URL("./common-passwords.bin", import.meta.url);

/**
 * Reads the filter: all passwords of 12 to 128 characters among the million most common ones, which are more than are left of
 * the 100,000 most common. Written by `generate-common-passwords.ts`, which names the source.
 *
 * @throws if the file is missing
 */
export const openCommonPasswords = (): CommonPasswords => {
  const filter = readFileSync(FILE);
  const isSet = (bit: number): boolean => ((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  // The first bit that is not set is the answer: for most passwords one of the first two.
  return { has: (password) => everyBitOf(password, filter.length * 8, isSet) };
};
