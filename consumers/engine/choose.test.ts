import { expect, test } from "bun:test";
import { createChoose, type PreparedEntry } from "./choose.ts";
import { Doubt } from "./doubt.ts";
import { createInFlight } from "./in-flight.ts";
import { createLookAhead } from "./look-ahead.ts";

const anItem = (id: number, deliveries: number, isTakenOver: boolean): PreparedEntry<undefined, undefined> => ({
  entry: { stream: "s", id: `${id}-0`, raw: [], deliveries, isTakenOver, deathsAlone: 0 },
  event: { id: String(id), source: "s", type: "t", time: "", data: undefined, subject: undefined, traceparent: "" },
  data: undefined,
  prepared: { kind: "ready", input: undefined, party: `stranger-${id}.example` },
});

test("of what dead consumers had, what is in doubt is chosen like other work, except suspects: their turn is now", () => {
  const doubt = new Doubt(() => 4);
  for (let n = 0; n < 20; n += 1) doubt.ended({ party: `bad-${n}`, wasTried: false }, { ms: 1_000, isVain: true });
  const lookAhead = createLookAhead<PreparedEntry<undefined, undefined>>({ doubt, allowance: () => 4, now: () => 0 });
  const choose = createChoose({ doubt, lookAhead, settler: { passOver: async () => {} }, inFlight: createInFlight(4) });
  const items = [...Array.from({ length: 20 }, (_, id) => anItem(id, 2, true)), anItem(90, 3, true)];
  const { wanted } = choose(items, { most: 0, signal: new AbortController().signal, progress: () => {} });
  expect(wanted.map(({ event }) => event.id)).toEqual(["90"]);
  expect(lookAhead.kept()).toBe(20);
});
