import { expect, test } from "bun:test";
import fc from "fast-check";
import { wireBody } from "./smtp/body.ts";
import { createSpareBuffers, placesOf } from "./template.ts";

const { markOf, templateOf } = placesOf(["a", "b"] as const);
const TEXT = `Subject: ${markOf("a")}\r\n\r\n${markOf("b")} and ${markOf("a")}\r\n`;

test("values stand in their places, whatever they are, and what goes over the wire is the same message", () => {
  const values = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(".", ".\r\n.", "x\r\n.\r\n", "😀".repeat(2_000)),
  );
  const texts = fc.constantFrom(TEXT, `.${TEXT}`, `${TEXT}.\r\n`, `${markOf("a")}.${TEXT}`, `${TEXT}no end`);
  fc.assert(
    fc.property(texts, values, values, (text, a, b) => {
      const { raw, wire } = templateOf(text, createSpareBuffers())({ a, b });
      const expected = text.replaceAll(markOf("a"), () => a).replaceAll(markOf("b"), () => b);
      expect(raw).toEqual(Buffer.from(expected));
      if (wire !== undefined) expect(wire).toEqual(wireBody(raw));
    }),
  );
});

test("a plain message needs no second copy for the wire", () => {
  const { raw, wire } = templateOf(TEXT, createSpareBuffers())({ a: "x", b: "y" });
  expect(wire?.buffer).toBe(raw.buffer);
});

test("the memory of a message is written over after its release, and not before", () => {
  const template = templateOf(TEXT, createSpareBuffers());
  const [first, second] = [template({ a: "1", b: "1" }), template({ a: "2", b: "2" })];
  expect(second.raw.buffer).not.toBe(first.raw.buffer);
  first.release();
  const third = template({ a: "3", b: "3" });
  expect(third.raw.buffer).toBe(first.raw.buffer);
  expect(second.raw.toString()).toBe("Subject: 2\r\n\r\n2 and 2\r\n");
});
