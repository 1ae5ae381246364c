import { expect, test } from "bun:test";
import { measure } from "./refused-recipients/measure.ts";
import { SHAPES, type Shape } from "./refused-recipients/shapes.ts";

/*
 * Whatever recipients a mail server refuses, however it does so: the first good mail is taken within five seconds, four fifths of the good
 * ones' rate is left, and none of them uses up an attempt more. In simulated time: what is lost here is lost by what the consumer chooses.
 */

const nameOf = ({ name, bad, good, isMixed = false }: Shape) =>
  `${name}, ${bad} ${isMixed ? "among" : "before"} ${good}`;

test.each(SHAPES.filter(({ isLong = false }) => !isLong).map((shape) => [nameOf(shape), shape] as const))(
  "%s",
  async (_, shape) => {
    const { share = 0.8 } = shape;
    const without = await measure(shape, { withBad: false });
    const { firstMs, perSecond, retried } = await measure(shape, { withBad: true });
    expect(firstMs).toBeLessThanOrEqual(5_000);
    expect(retried).toBe(0);
    expect(perSecond).toBeGreaterThanOrEqual(share * without.perSecond);
  },
);
