import fc from "fast-check";
import { hostileText } from "./texts.ts";

const validParts = fc.record({
  user_name: fc.stringMatching(/^[a-z]{3,8}-[0-9a-f]{8}$/),
  email: fc.stringMatching(/^[a-z]{3,8}\.[0-9a-f]{8}@inbox\.example$/),
  password: fc.constant("correct horse battery staple"),
  locale: fc.constantFrom("vi", "en"),
  transaction_id: fc.uuid(),
  user_id: fc.uuid(),
  amount: fc.nat(1_000_000),
  currency: fc.constantFrom("VND", "USD"),
  token: fc.base64String({ maxLength: 80 }),
  form_id: fc.uuid(),
});

const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 2 ** 53, 0.1, {}, [], [[]], { "": {} }) },
);

/** Fields of every body that is read anywhere, some of them replaced, missing, or joined by others. */
const fields: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .tuple(
    validParts,
    fc.array(fc.tuple(fc.nat(9), fc.option(anyValue, { nil: undefined })), { maxLength: 3 }),
    fc.dictionary(fc.oneof(hostileText, fc.constantFrom("__proto__", "constructor", "id", "is_admin")), anyValue, {
      maxKeys: 3,
    }),
  )
  .map(([valid, replaced, further]) => {
    const names = Object.keys(valid);
    const changed = replaced.map(([at, value]) => [names[at % names.length] ?? "", value] as const);
    return { ...further, ...valid, ...Object.fromEntries(changed) };
  });

/** JSON that is valid, but not as anybody meant it. */
const deep = fc
  .tuple(fc.integer({ min: 1, max: 7_000 }), fc.constantFrom<readonly [string, string]>(["[", "]"], ['{"a":', "}"]))
  .map(([depth, [open, close]]) => `${open.repeat(depth)}1${close.repeat(depth)}`);
const wide = fc
  .integer({ min: 1, max: 3_000 })
  .map((count) => `{${Array.from({ length: count }, (_, at) => `"k${at}":0`).join(",")}}`);
const doubled = fc
  .tuple(fields, fields)
  .map((two) => two.map((each) => JSON.stringify(each).slice(1, -1)).join(","))
  .map((inner) => `{${inner}}`);

/** Breaks a text at one place. */
const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.nat(), hostileText).map(([whole, at, what]) => {
    const place = whole.length === 0 ? 0 : at % whole.length;
    return `${whole.slice(0, place)}${what}${whole.slice(place + (at % 3))}`;
  });

const json = fields.map((each) => JSON.stringify(each));
const form = fields.map((each) =>
  new URLSearchParams(Object.entries(each).map(([name, value]) => [name, String(value)])).toString(),
);

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is no text of the kind that is expected, or far too much of it. */
const strange: fc.Arbitrary<Uint8Array> = fc.oneof(
  json.map((text) => Buffer.from(text, "utf16le")),
  json.map((text) => Buffer.from(text, "latin1")),
  json.map((text) => utf8(`\ufeff${text}`)),
  fc.jsonValue().map((value) => utf8(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 16_000, max: 70_000 }).map((size) => utf8(`{"user_name":"${"x".repeat(size)}"}`)),
);

/** A body, in bytes, that a route of the API reads, or nearly. */
export const jsonBody: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: json.map(utf8) },
  { weight: 2, arbitrary: damaged(json).map(utf8) },
  { weight: 1, arbitrary: doubled.map(utf8) },
  { weight: 1, arbitrary: fc.oneof(deep, wide).map(utf8) },
  { weight: 2, arbitrary: strange },
);

/** The same for a page. */
export const formBody: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: form.map(utf8) },
  { weight: 1, arbitrary: damaged(form).map(utf8) },
  { weight: 1, arbitrary: strange },
);
