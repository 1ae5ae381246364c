import { describe, expect, test } from "bun:test";
import { fittedWidths } from "./layout.ts";
import { isColoured, type Style, styleFor, type Tone } from "./style.ts";
import { type Column, pairs, table } from "./table.ts";

const plain = (width?: number): Style => Object.assign((_: Tone, text: string) => text, { width });

const ID = "0190c3a1-6f0e-7000-8000-000000000001";
const COLUMNS: readonly Column[] = [
  { title: "event" },
  { title: "tries so far", align: "right" },
  { title: "words", wraps: true },
];
const WORDS = "550 5.1.1 hộp thư của Đặng Thị Mai không tồn tại, 受信できません";

describe("the widths of columns", () => {
  test.each([
    [[{ natural: 5, least: 5 }], 80, [5]],
    [
      [
        { natural: 30, least: 10 },
        { natural: 30, least: 10 },
      ],
      42,
      [20, 20],
    ],
    [
      [
        { natural: 36, least: 36 },
        { natural: 90, least: 16 },
      ],
      60,
      [36, 22],
    ],
    [
      [
        { natural: 36, least: 36 },
        { natural: 90, least: 16 },
      ],
      54,
      [36, 16],
    ],
    [
      [
        { natural: 36, least: 36 },
        { natural: 90, least: 16 },
      ],
      53,
      undefined,
    ],
    [
      [
        { natural: 10, least: 4 },
        { natural: 40, least: 4 },
      ],
      Number.POSITIVE_INFINITY,
      [10, 40],
    ],
    [[], 80, []],
  ])("%j in %d columns are %j", (extents, available, widths) => {
    expect(fittedWidths(extents, available, 2)).toEqual(widths);
  });
});

describe("a table", () => {
  test("is as wide as its texts where no terminal limits it", () => {
    expect(table(plain(), COLUMNS, [[ID, "3", WORDS]])).toBe(
      [`event${" ".repeat(33)}tries so far  words`, `${ID}${" ".repeat(13)}3  ${WORDS}`].join("\n"),
    );
  });

  test.each([120, 80, 66, 60])("fits a terminal of %d columns by its display width, and cuts nothing", (width) => {
    const text = table(plain(width), COLUMNS, [[ID, "3", WORDS]]);
    for (const line of text.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
    expect(text).toContain(ID);
    expect(text.replace(/\s/g, "")).toContain("受信できません");
  });

  test("breaks its header before its texts", () => {
    const [first, second, third] = table(plain(44), COLUMNS.slice(0, 2), [[ID, "3"]]).split("\n");
    expect([first, second, third]).toEqual([
      `event${" ".repeat(31)}   tries`,
      `${" ".repeat(36)}  so far`,
      `${ID}       3`,
    ]);
  });

  test("is a list of names and values where its columns do not fit", () => {
    const text = table(plain(50), COLUMNS, [
      [ID, "3", "refused"],
      [ID, "", "gone"],
    ]);
    expect(text).toBe(
      [`event         ${ID}`, "tries so far  3", "words         refused", "", `event  ${ID}`, "words  gone"].join("\n"),
    );
  });

  test("aligns wide characters and combining marks", () => {
    const rows = [["日本"], ["é"], ["abcd"]].map((row) => [...row, "x"]);
    const columns = table(plain(), [{ title: "a" }, { title: "b" }], rows).split("\n");
    expect(columns.map((line) => Bun.stringWidth(line.slice(0, line.length - 1)))).toEqual([6, 6, 6, 6]);
  });
});

test("a long value goes on below itself", () => {
  expect(pairs(plain(24), [["reply", "550 no such mailbox here"]])).toBe(
    ["reply  550 no such", "       mailbox here"].join("\n"),
  );
});

test.each([
  [{ isTTY: true, columns: 80 }, {}, true, 80],
  [{ isTTY: true, columns: 80 }, { NO_COLOR: "1" }, false, 80],
  [{ isTTY: true, columns: 0 }, { TERM: "dumb" }, false, undefined],
  [{}, {}, false, undefined],
  [{ columns: 80 }, {}, false, undefined],
])("%j with %j: colours %p, width %p", (output, environment, coloured, width) => {
  expect(isColoured(output, environment)).toBe(coloured);
  expect(styleFor(output, environment).width).toBe(width);
  expect(styleFor(output, environment)("bad", "x").includes("\x1b")).toBe(coloured);
});
