import { streamSSE } from "hono/streaming";
import { pause } from "../../../runtime/loop.ts";
import { createPlaces } from "../../status/places.ts";
import type { ConsoleParts, VisitHandler } from "../visit.ts";
import type { Feed } from "./feed.ts";
import { NowParts } from "./now-page.tsx";
import type { Snapshot } from "./snapshot.ts";

const MOST_STREAMS = 200;
const MOST_OF_CLIENT = 50;
/** Longest life of a stream; then the browser connects again. */
const LIFE_MS = 30 * 60_000;
const RECONNECT_MS = 3_000;

const rendered = new WeakMap<Snapshot, Promise<string>>();

/** The parts as HTML, made once for all who look. */
const htmlOf = (snapshot: Snapshot): Promise<string> => {
  const known = rendered.get(snapshot);
  if (known !== undefined) return known;
  const made = (async () => (<NowParts snapshot={snapshot} />).toString())();
  rendered.set(snapshot, made);
  return made;
};

/** `GET /console/now`: the parts of the page at each reading, as Server-Sent Events. */
export const nowStream = (feed: Feed<Snapshot>, { stopping, now }: ConsoleParts): VisitHandler => {
  const places = createPlaces(MOST_STREAMS, MOST_OF_CLIENT);
  return ({ c, session, client, hasEnded }) => {
    const giveBack = places.take(client);
    if (giveBack === undefined) return c.body(null, 503, { "Retry-After": "5" });
    c.header("X-Accel-Buffering", "no");
    return streamSSE(c, async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      const end = AbortSignal.any([ended.signal, stopping]);
      const endsAt = Math.min(session.endsAt, now().getTime() + LIFE_MS);
      let latest: Snapshot | undefined;
      let wake = () => {};
      const leave = feed.follow((snapshot) => {
        latest = snapshot;
        wake();
      });
      try {
        await stream.write(`retry: ${RECONNECT_MS}\n\n`);
        while (!end.aborted && now().getTime() < endsAt && !(await hasEnded())) {
          const waited = new AbortController();
          wake = () => waited.abort();
          if (latest === undefined) await pause(endsAt - now().getTime(), AbortSignal.any([end, waited.signal]));
          const snapshot = latest;
          latest = undefined;
          // A client that does not read blocks a write for as long as it likes.
          if (snapshot !== undefined && !end.aborted) {
            const writing = stream.writeSSE({ event: "now", data: await htmlOf(snapshot) });
            await Promise.race([writing, pause(LIFE_MS, end)]);
          }
        }
      } finally {
        leave();
        giveBack();
      }
    });
  };
};
