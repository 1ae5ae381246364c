import { expect, test } from "bun:test";
import { Hono } from "hono";
import { detectLanguage, detectPageLanguage, languageOf } from "./language.ts";

const app = new Hono();
app.use(detectLanguage());
app.use("/page", detectPageLanguage());
app.get("*", (c) => c.text(languageOf(c)));

const languageFor = async (path: string, header: string | undefined): Promise<string> => {
  const headers = header === undefined ? undefined : { "Accept-Language": header };
  const response = await app.request(path, headers === undefined ? {} : { headers });
  expect(response.headers.get("set-cookie")).toBeNull();
  return response.text();
};

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
  ["*, en;q=0.5", "vi"],
  ["en;q=0", "vi"],
  ["en, vi", "en"],
  ["vi, en", "vi"],
  ["english", "vi"],
  [";;;,,,q=", "vi"],
  [`${"x,".repeat(2_000)}en`, "vi"],
])("Accept-Language %p is answered in %s", async (header, expected) => {
  expect(await languageFor("/", header)).toBe(expected);
});

test.each([
  ["/page?lang=en", undefined, "en"],
  ["/page?lang=vi", "en", "vi"],
  ["/page?lang=fr", "en", "en"],
  ["/page", "en", "en"],
  ["/?lang=en", undefined, "vi"],
])("%s with Accept-Language %p is answered in %s", async (path, header, expected) => {
  expect(await languageFor(path, header)).toBe(expected);
});
