import { expect, test } from "bun:test";
import { Doubt, type Progress } from "./doubt.ts";

const of = (party: string) => ({ party, wasTried: false, place: "" });

/** Of twenty pieces that may be in flight; others take 100 ms, and three for `slow.example` took 5 s. */
const aDoubt = async () => {
  let nowMs = 0;
  const doubt = new Doubt(
    () => 20,
    () => nowMs,
  );
  const ended = (party: string, ms: number) =>
    doubt.around(of(party), async ({ begins, commits }: Progress) => {
      begins();
      commits();
      nowMs += ms;
    });
  const begin = (party: string) => void doubt.around(of(party), () => new Promise<never>(() => {}));
  for (let n = 0; n < 20; n += 1) await ended(`other-${n}.example`, 100);
  for (let n = 0; n < 3; n += 1) await ended("slow.example", 5_000);
  return { doubt, begin };
};

const many = (count: number, party: string) => Array.from({ length: count }, () => of(party));

test("slow parties together have half of what may be in flight, a tenth where many others come, less what they have", async () => {
  const { doubt, begin } = await aDoubt();
  expect([doubt.roomForSlow("few"), doubt.roomForSlow("many")]).toEqual([10, 2]);
  begin("other-1.example");
  begin("slow.example");
  expect([doubt.roomForSlow("few"), doubt.roomForSlow("many")]).toEqual([9, 1]);
  for (let n = 0; n < 11; n += 1) begin("slow.example");
  expect([doubt.roomForSlow("few"), doubt.roomForSlow("many")]).toEqual([0, 0]);
});

test("more is read than may be attempted while more of slow parties waits than there is room for, and not for what is quick", async () => {
  const { doubt } = await aDoubt();
  expect(doubt.isSlow(of("slow.example"))).toBe(true);
  doubt.look([...many(30, "other-1.example"), ...many(10, "slow.example")]);
  expect(doubt.isVain).toBe(false);
  doubt.look(many(11, "slow.example"));
  expect([doubt.isVain, doubt.isActive]).toEqual([true, true]);
  doubt.look([]);
  expect(doubt.isVain).toBe(false);
});
