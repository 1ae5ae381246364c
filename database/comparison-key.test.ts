import { describe, expect, test } from "bun:test";
import { keyOfAddress } from "./comparison-key.ts";

describe("the key of an address as somebody writes it", () => {
  test.each([
    ["its domain as people write it", "Hoa@BÜCHER.example", "hoa@xn--bcher-kva.example"],
    ["its domain in ASCII", "hoa@xn--bcher-kva.EXAMPLE", "hoa@xn--bcher-kva.example"],
    ["an umlaut of two characters", "hoa@bu\u0308cher.example", "hoa@xn--bcher-kva.example"],
    ["a tag", "a.b+tag@straße.example", "a.b+tag@xn--strae-oqa.example"],
    ["no address", "Đặng Hòa", "đặng hòa"],
    ["no domain", "hoa@ü ü", "hoa@ü ü"],
  ])("%s", (_, text, expected) => expect(keyOfAddress(text)).toBe(expected));
});
