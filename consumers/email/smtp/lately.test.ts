import { expect, test } from "bun:test";
import { Lately } from "./lately.ts";

test("remembers what was added within its time, and no more", () => {
  const lately = new Lately(1_000);
  expect(lately).toMatchObject({ first: undefined, count: 0 });
  for (let now = 0; now < 10_000; now += 10) {
    lately.add(now);
    expect(lately.first).toBe(Math.max(0, now - 1_000));
    expect(lately.count).toBe(Math.min(now, 1_000) / 10 + 1);
  }
  lately.forget(20_000);
  expect(lately).toMatchObject({ first: undefined, count: 0 });
  lately.add(20_001);
  expect(lately).toMatchObject({ first: 20_001, count: 1 });
});
