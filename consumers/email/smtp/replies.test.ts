import { expect, test } from "bun:test";
import { ReplyReader } from "./replies.ts";

const WIRE = "250-mail.example\r\n250 PIPELINING\r\n250 ok\r\n354\r\n550 5.1.1 không có ai\r\n";
const REPLIES = [
  { code: 250, text: "250-mail.example\n250 PIPELINING" },
  { code: 250, text: "250 ok" },
  { code: 354, text: "354" },
  { code: 550, text: "550 5.1.1 không có ai" },
];

test.each([1, 2, 3, 7, 1_000])("replies are the same in pieces of %d bytes", (size) => {
  const reader = new ReplyReader();
  const wire = Buffer.from(WIRE);
  const found = [];
  for (let at = 0; at < wire.length; at += size) found.push(...reader.read(wire.subarray(at, at + size)).replies);
  expect(found).toEqual(REPLIES);
});

test("what is no reply, or never ends, is refused", () => {
  expect(new ReplyReader().read(Buffer.from("HTTP/1.1 400 Bad Request\r\n")).isBroken).toBe(true);
  expect(new ReplyReader().read(Buffer.from("2".repeat(1_048_577))).isBroken).toBe(true);
  const reader = new ReplyReader();
  const line = Buffer.from(`250-${"x".repeat(65_536)}\r\n`);
  const answers = Array.from({ length: 17 }, () => reader.read(line));
  expect(answers.findIndex(({ isBroken }) => isBroken)).toBe(15);
});

test("what was said before something that is no reply was said", () => {
  const heard = new ReplyReader().read(Buffer.from("250 2.1.0 ok\r\n550-refused\r\nbecause of policy\r\n"));
  expect(heard).toEqual({ replies: [{ code: 250, text: "250 2.1.0 ok" }], isBroken: true });
});

test("a long reply is kept as long as anybody reads it", () => {
  const [reply] = new ReplyReader().read(Buffer.from(`550 ${"no ".repeat(50_000)}\r\n`)).replies;
  expect(reply?.text).toHaveLength(8_192);
});

test.each([
  ["550 5.7.1 bloc", 550],
  ["250 o", undefined],
  ["55", undefined],
  ["550-one line\r\n550 and ano", 550],
  ["550-one line\r\n", 550],
  ["250-one line\r\n", undefined],
])("of %p, cut off, the code is %p", (wire, code) => {
  const reader = new ReplyReader();
  reader.read(Buffer.from(wire));
  expect(reader.cutOff()?.code).toBe(code);
});
