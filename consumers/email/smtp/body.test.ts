import { expect, test } from "bun:test";
import { wireBody } from "./body.ts";

test.each([
  ["", ".\r\n"],
  ["a\r\n", "a\r\n.\r\n"],
  ["a", "a\r\n.\r\n"],
  [".\r\n", "..\r\n.\r\n"],
  ["a\r\n.\r\n.b\r\nc.\r\n", "a\r\n..\r\n..b\r\nc.\r\n.\r\n"],
  ["xin chào\r\n.\r\n", "xin chào\r\n..\r\n.\r\n"],
])("%p goes over the wire as %p", (raw, wire) => {
  expect(wireBody(Buffer.from(raw)).toString()).toBe(wire);
});
