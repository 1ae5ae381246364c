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
const blocked = { ...closed, code: "EPROTOCOL", responseCode: 554, reply: "554 5.7.1 your address is blocked" };
const unreachable = { ...closed, code: "ESOCKET", cause: "EHOSTUNREACH" };
const notSecured = { ...closed, code: "ESOCKET", cause: "ERR_SSL_WRONG_VERSION_NUMBER" };

/** The places of a pool that has none at first, and a clock. */
const aPool = () => {
  let ms = 0;
  let openedAt = 0;
  let has = 0;
  const places = createPlaces({
    server: { host: "mail.example", port: 25 },
    sessions: {
      usable: () => has,
      idle: () => 0,
      heldForMs: () => ms - openedAt,
      lastOpenedAt: () => openedAt,
      giveUp: (onLeft) => onLeft(),
    },
    limit: { gaveUp: () => {}, answered: () => {} },
    crowding: { othersHave: () => {} },
    starvation: { isOn: true, answered: () => {}, mayHaveRoom: () => {}, works: () => {} },
    has: () => has,
    look: () => {},
    now: () => ms,
  });
  return {
    places,
    pass: (forMs: number) => {
      ms += forMs;
    },
    /** It opens another one. */
    opens: () => {
      openedAt = ms;
    },
    /** It has so many that work. */
    works: (count: number) => {
      has = count;
      places.works();
    },
  };
};

test.each([
  ["says that there are too many", said, "said", "said"],
  ["closes it", closed, "unsaid", undefined],
  ["refuses it by TCP", refusedByTcp, "unsaid", undefined],
  ["never greets it", notGreeted, "unsaid", undefined],
  ["is not found", noSuchHost, undefined, undefined],
  ["blocks the address", blocked, undefined, undefined],
  ["cannot be reached", unreachable, undefined, undefined],
  ["has another protocol", notSecured, undefined, undefined],
] as const)(
  "a connection is one too many where others have some, or it is said: the server %s",
  (_, failure, beside, alone) => {
    const { places, pass } = aPool();
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

test("the first refusal for a while is not judged before it is heard what others have, where anybody tells", () => {
  const { places, pass } = aPool();
  places.refused(true);
  expect(places.hearsSoon(closed)).toBe(false);
  expect(places.wasRefused()).toBe(true);
  expect(places.hearsSoon(closed)).toBe(true);
  // Nothing that is heard says more of this.
  expect(places.hearsSoon(notGreeted)).toBe(false);
  const passHearing = (ms: number) => {
    pass(ms);
    places.wasRefused();
    places.refused(true);
    return places.hearsSoon(closed);
  };
  expect(passHearing(600)).toBe(true);
  expect(passHearing(200)).toBe(false);
  expect(passHearing(9_000)).toBe(false);
  expect(passHearing(11_000)).toBe(true);
});

test("who has none of what others give up for it fails its mails, until it asks for the next one", () => {
  const { places, pass, works } = aPool();
  const refused = () => {
    pass(5_000);
    places.othersHave(2);
    return places.refusalOf(closed);
  };
  const answered = (times: number) => {
    for (let time = 0; time < times; time += 1) places.answered();
    return refused();
  };
  // Where nobody gives one up it may be the limit, for as long as that lasts.
  for (let time = 0; time < 100; time += 1) expect(refused()).toBe("unsaid");
  expect(answered(2)).toBe("unsaid");
  expect(places.isFull()).toBe(true);
  expect(answered(1)).toBeUndefined();
  // Its breaker may not be closed because others have some.
  expect(places.isFull()).toBe(false);
  works(1);
  works(0);
  expect(answered(2)).toBe("unsaid");
  expect(answered(1)).toBeUndefined();
  // In case that it is well, and others have all.
  pass(60_000);
  expect(refused()).toBe("unsaid");
});

test("who has none, and may not ask for the next one yet, asks as soon as it may", () => {
  const { places, pass } = aPool();
  places.answered();
  places.answered();
  places.refused(true);
  expect(places.wasRefused()).toBe(false);
  pass(8_000);
  expect(places.wasRefused()).toBe(true);
  expect(places.wasRefused()).toBe(false);
});

test("the last connection is given up only where what was given before is used", () => {
  const { places, pass, opens } = aPool();
  pass(2_000);
  expect(places.mayBeLeftWithout()).toBe(true);
  places.othersHave(1);
  places.giveUp(() => {});
  expect(places.mayBeLeftWithout()).toBe(false);
  places.othersHave(2);
  expect(places.mayBeLeftWithout()).toBe(true);
  places.giveUp(() => {});
  pass(1);
  opens();
  pass(2_000);
  expect(places.mayBeLeftWithout()).toBe(true);
  places.giveUp(() => {});
  pass(299_000);
  expect(places.mayBeLeftWithout()).toBe(false);
  pass(1_000);
  expect(places.mayBeLeftWithout()).toBe(true);
});
