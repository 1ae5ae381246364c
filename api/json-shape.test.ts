import { expect, test } from "bun:test";
import fc from "fast-check";
import { shapeFault } from "./json-shape.ts";

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
});

test("what a program writes is never at fault: each name once, whatever is in its strings", () => {
  fc.assert(
    fc.property(fc.json({ depthSize: "small", maxDepth: 5 }), (json) => {
      expect(shapeFault(json)).toBeUndefined();
    }),
  );
});
