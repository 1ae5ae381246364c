import { describe, expect, test } from "bun:test";
import { Pace } from "./pace.ts";

const aClock = () => {
  let nowMs = 0;
  return { now: () => nowMs, pass: (ms: number) => (nowMs += ms) };
};

describe("the pace", () => {
  test("follows what the server accepts, whatever it is at first", () => {
    const { now, pass } = aClock();
    const pace = new Pace({ now });
    const perSecond = 40;
    let tokens = 5;
    let accepted = 0;
    let refused = 0;
    for (let ms = 0; ms < 60_000; ms += 1) {
      pass(1);
      tokens = Math.min(5, tokens + perSecond / 1_000);
      if (ms < 20_000 && ms % 2 > 0) continue;
      if (pace.waitMs > 0) continue;
      pace.took();
      if (tokens >= 1) {
        tokens -= 1;
        accepted += ms >= 20_000 ? 1 : 0;
        pace.accepted(now());
      } else {
        refused += ms >= 20_000 ? 1 : 0;
        pace.tooFast(now());
      }
    }
    expect(accepted / 40).toBeGreaterThan(0.9 * perSecond);
    expect(refused).toBeLessThan(0.12 * accepted);
  });

  test("is no limit until the server says so, and none again when it did not matter for a minute", () => {
    const { now, pass } = aClock();
    const pace = new Pace({ now });
    expect(pace.perSecond).toBeUndefined();
    expect(pace.waitMs).toBe(0);
    for (let refused = 0; refused < 6; refused += 1) pace.tooFast(now());
    expect(pace.perSecond).toBeGreaterThan(0);
    pass(61_000);
    pace.accepted(now());
    expect(pace.perSecond).toBeUndefined();
  });

  /** A consumer with a backlog: a question each ms if the pace allows it; an answer after 100 ms. Returns what is accepted and refused. */
  const ask = (welcome: (ms: number) => boolean, ms: number) => {
    const { now, pass } = aClock();
    const pace = new Pace({ now });
    const answers: { readonly at: number; readonly begunAt: number; readonly isWelcome: boolean }[] = [];
    const counts = { accepted: 0, refused: 0 };
    for (; now() < ms; pass(1)) {
      while (answers[0] !== undefined && answers[0].at <= now()) {
        const answer = answers.shift();
        if (answer === undefined) break;
        if (answer.isWelcome) pace.accepted(answer.begunAt);
        else pace.tooFast(answer.begunAt);
        counts[answer.isWelcome ? "accepted" : "refused"] += 1;
      }
      if (answers.length >= 10 || pace.waitMs > 0) continue;
      pace.took();
      answers.push({ at: now() + 100, begunAt: now(), isWelcome: welcome(now()) });
    }
    return counts;
  };

  test("is found at once, though what was under way is refused, too", () => {
    let tokens = 5;
    let at = 0;
    const welcome = (ms: number) => {
      tokens = Math.min(5, tokens + ((ms - at) * 5) / 1_000);
      at = ms;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    };
    expect(ask(welcome, 20_000).accepted).toBeGreaterThan(0.9 * 5 * 20);
  });

  test.each([
    [300, 0.5],
    [15, 0.4],
  ])("leaves room again where %d a minute are granted, and those that are refused count", (perMinute, least) => {
    let asked: readonly number[] = [];
    const welcome = (ms: number) => {
      asked = [...asked.filter((at) => at > ms - 60_000), ms];
      return asked.length <= perMinute;
    };
    expect(ask(welcome, 480_000).accepted).toBeGreaterThan(least * 8 * perMinute);
  });

  test("is none where a tenth are refused at any pace", () => {
    let mails = 0;
    const { accepted } = ask(() => ++mails % 10 > 0, 60_000);
    expect(accepted).toBeGreaterThan(0.8 * 0.9 * 100 * 60);
  });
});
