import { createLookAhead, type Read } from "./look-ahead.ts";

/** So many entries, each for a party of its own if none is given. */
export const reads = (count: number, more: Partial<Read<string>> = {}): readonly Read<string>[] =>
  Array.from({ length: count }, (_, n) => ({
    item: `${more.item ?? "entry"}-${n}`,
    party: more.party ?? `${more.item ?? "entry"}-${n}.example`,
    wasTried: more.wasTried ?? false,
    place: more.place ?? String(n).padStart(6, "0"),
    passes: more.passes ?? 0,
  }));

/** For a party that is not in doubt. */
export const sure = (count: number) => reads(count, { item: "sure", party: "welcome.example" });
export const items = (each: readonly Read<string>[]) => each.map(({ item }) => item);

/** While there is doubt about all but one party, with room for so many of those that are in doubt. */
export const aLookAhead = (
  room: (others: "few" | "many") => number,
  given: {
    readonly isActive?: () => boolean;
    readonly roomToAsk?: number;
    readonly roomForTried?: number;
    readonly roomForSlow?: (others: "few" | "many") => number;
    readonly roomForStrangers?: () => number;
    readonly odds?: (party: string) => number;
    readonly oddsBeside?: (place: string) => number;
    readonly now?: () => number;
  } = {},
) => {
  const { isActive = () => true, now = () => 0 } = given;
  return createLookAhead<string>({
    doubt: {
      get isActive() {
        return isActive();
      },
      has: ({ party }) => isActive() && party !== "welcome.example",
      get isVain() {
        return isActive();
      },
      look: () => {},
      isSlow: ({ party }) => party === "slow.example",
      isStranger: ({ party, wasTried }) => !wasTried && party !== "welcome.example",
      room,
      roomForSlow: given.roomForSlow ?? (() => 2),
      roomForStrangers: given.roomForStrangers ?? (() => 1_000),
      roomToAsk: () => given.roomToAsk ?? 0,
      roomForTried: () => given.roomForTried ?? 4,
      most: 3,
      perSecond: 1_000,
      odds: (party) => given.odds?.(party) ?? 1,
      oddsBefore: (party) => given.odds?.(party) ?? 1,
      oddsBeside: ({ place }) => given.oddsBeside?.(place) ?? 1,
    },
    allowance: () => 40,
    now,
  });
};
