import { expect, test } from "bun:test";
import fc from "fast-check";
import { isFlatObject, shapeFault } from "./json-shape.ts";

const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`;

test.each([
  ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', undefined],
  ['{"a":1,"a":2}', "duplicate_name"],
  ['{"a":1,"\\u0061":2}', "duplicate_name"],
  ['{"a":{"b":1,"b":1}}', "duplicate_name"],
  ['[{"a":1},{"a":1,"a":1}]', "duplicate_name"],
  ['{"__proto__":1,"constructor":2}', undefined],
  ['{"__proto__":{},"__proto__":{}}', "duplicate_name"],
  ['{"a":"}{][,:\\"a\\":","b":"\\\\"}', undefined],
  ['{"":1,"":2}', "duplicate_name"],
  [nested(16, "[", "]"), undefined],
  [nested(17, "[", "]"), "too_deep"],
  [nested(17, '{"a":', "}"), "too_deep"],
  [`[${"1,".repeat(999)}1]`, undefined],
  [`[${"1,".repeat(1_000)}1]`, "too_many_values"],
  ['"a"', undefined],
  ["null", undefined],
] as const)("%.60s", (json, fault) => {
  expect(() => JSON.parse(json)).not.toThrow();
  expect(shapeFault(json)).toBe(fault as typeof fault & string);
  expect(isFlatObject(json, JSON.parse(json)) && fault !== undefined).toBe(false);
});

test.each([
  ['{"a":1,"b":"x","__proto__":null}', true],
  ['{"a":":,","b":"\\""}', true],
  ["{}", true],
  ['{"a":{}}', false],
  ['{"a":[],"a":1}', false],
  ['{"a":1,"\\u0061":2}', false],
  ["[1,2]", false],
  ["null", false],
])("of %p it is seen at a glance that it is flat: %p", (json, isFlat) => {
  expect(isFlatObject(json, JSON.parse(json))).toBe(isFlat);
});

test("what is flat at a glance has no fault, however often a name is in it", () => {
  const name = fc.constantFrom("a", "b", "\\u0061", "__proto__");
  const value = fc.oneof(fc.json({ depthSize: "small", maxDepth: 1 }), fc.constantFrom("1", "[]", '{"a":1}'));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), (members) => {
      const json = `{${members.map(([each, text]) => `"${each}":${text}`).join(",")}}`;
      if (isFlatObject(json, JSON.parse(json))) expect(shapeFault(json)).toBeUndefined();
    }),
  );
});

test("what a program writes is never at fault: each name once, whatever is in its strings", () => {
  fc.assert(
    fc.property(fc.json({ depthSize: "small", maxDepth: 5 }), (json) => {
      expect(shapeFault(json)).toBeUndefined();
    }),
  );
});
