import { expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { startLoad } from "./load.ts";
import { seededRandom } from "./random.ts";

test("who watches the load counts the requests that begin while it watches, and none that was in flight before", async () => {
  const waiting: ((status: number) => void)[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Promise<Response>((resolve) => waiting.push((status) => resolve(Response.json({}, { status })))),
  });
  const answerAll = (status: number) => {
    for (const answer of waiting.splice(0)) answer(status);
  };
  const load = startLoad({
    urls: [server.url.origin],
    perSecond: 50,
    random: seededRandom(1),
    currentFault: () => "a fault",
  });
  const answers = () => [...load.responses.values()].reduce((sum, count) => sum + count, 0);
  await eventually(() => waiting.length > 0);
  const inFlight = waiting.splice(0);
  const watch = load.watch();
  for (const answer of inFlight) answer(400);
  await eventually(() => answers() >= inFlight.length);
  expect(watch.answered("400")).toBe(0);
  // What was sent before may arrive only now, and says nothing.
  await eventually(() => {
    answerAll(422);
    return watch.answered("422") > 0;
  });
  watch.stop();
  const before = watch.answered("422");
  const soFar = answers();
  await eventually(() => {
    answerAll(422);
    return answers() > soFar;
  });
  expect(watch.answered("400", "422")).toBe(before);
  const answering = setInterval(() => answerAll(422), 10);
  await load.stop();
  clearInterval(answering);
  await server.stop(true);
});
