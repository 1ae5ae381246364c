import { expect, test } from "bun:test";
import { preferredLanguage } from "./language.ts";

test.each([
  [undefined, "vi"],
  ["", "vi"],
  ["en", "en"],
  ["en-GB,en;q=0.9", "en"],
  ["EN-us", "en"],
  ["vi-VN, en;q=0.9", "vi"],
  ["en;q=0.5, vi;q=0.8", "vi"],
  ["fr, en;q=0.3", "en"],
  ["fr", "vi"],
  ["*", "vi"],
  ["en;q=0", "vi"],
  ["en, vi", "en"],
  ["vi, en", "vi"],
  ["english", "vi"],
  [";;;,,,q=", "vi"],
  [`${"x,".repeat(2_000)}en`, "vi"],
])("Accept-Language %p is answered in %s", (header, expected) => {
  expect(preferredLanguage(header)).toBe(expected as "vi" | "en");
});
