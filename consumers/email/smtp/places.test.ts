import { expect, test } from "bun:test";
import type { SmtpFailure } from "./failure.ts";
import { createPlaces } from "./places.ts";

const closed: SmtpFailure = {
  code: "ECONNECTION",
  command: "CONN",
  reply: undefined,
  responseCode: undefined,
  cause: undefined,
  bodyStarted: false,
};
const refusedByTcp = { ...closed, code: "ESOCKET", cause: "ECONNREFUSED" };
const said = { ...closed, code: "EPROTOCOL", responseCode: 421, reply: "421 4.7.0 too many connections" };
const notGreeted = { ...closed, code: "ETIMEDOUT", cause: "GREETING_TIMEOUT" };
const noSuchHost = { ...closed, code: "EDNS" };

/** The places of a pool that has none, and a clock. */
const noPlaces = () => {
  let ms = 0;
  const places = createPlaces({
    server: { host: "mail.example", port: 25 },
    sessions: { usable: () => 0, idle: () => 0, heldForMs: () => 0, giveUp: () => {} },
    limit: { gaveUp: () => {} },
    crowding: { othersHave: () => {} },
    starvation: { isOn: false, answered: () => {}, mayHaveRoom: () => {} },
    now: () => ms,
  });
  return {
    places,
    pass: (forMs: number) => {
      ms += forMs;
    },
  };
};

test.each([
  ["says that there are too many", said, "said", "said"],
  ["closes it", closed, "unsaid", undefined],
  ["refuses it by TCP", refusedByTcp, "unsaid", undefined],
  ["never greets it: it may be silent for those who have idle ones, too", notGreeted, undefined, undefined],
  ["is not found", noSuchHost, undefined, undefined],
] as const)(
  "a connection is one too many where others have some, or it is said: the server %s",
  (_, failure, beside, alone) => {
    const { places, pass } = noPlaces();
    expect(places.refusalOf(failure)).toBe(alone);
    places.othersHave(2);
    expect(places.refusalOf(failure)).toBe(beside);
    // One that is handed over is nobody's for a moment.
    pass(1_000);
    places.othersHave(0);
    expect(places.refusalOf(failure)).toBe(beside);
    pass(3_000);
    expect(places.refusalOf(failure)).toBe(alone);
  },
);

test("the first refusal is not judged before it is heard what others have, where anybody tells", () => {
  const { places, pass } = noPlaces();
  places.refused();
  expect(places.hearsSoon()).toBe(false);
  expect(places.wasRefused()).toBe(true);
  expect(places.hearsSoon()).toBe(true);
  pass(600);
  places.wasRefused();
  places.refused();
  expect(places.hearsSoon()).toBe(true);
  pass(200);
  places.wasRefused();
  expect(places.hearsSoon()).toBe(false);
  places.works();
  places.refused();
  expect(places.hearsSoon()).toBe(true);
});
