import { expect, test } from "bun:test";
import { eventually } from "../tests/eventually.ts";
import { startProxy } from "../tests/tcp-proxy.ts";
import { openBlockingConnection } from "./connection.ts";
import { followChanges } from "./follow.ts";

test("a subscription that is cut off as it is renewed harms nothing else, and is there again afterwards", async () => {
  const url = new URL(process.env["TEST_REDIS_URL"] ?? "");
  const port = Number(url.port);
  await using link = await startProxy(port);
  // An error that nobody handles would end the process, and fails a test.
  await using cutting = await startProxy(port, { cutAt: "subscribe" });
  url.port = String(link.port);
  const redis = openBlockingConnection({
    url: url.href,
    name: "follow-test",
    log: { info: () => {}, warn: () => {} },
  });
  let subscribed = 0;
  let cut = 0;
  const onSubscribed = () => {
    subscribed += 1;
  };
  const onFault = () => {
    cut += 1;
  };
  followChanges(redis, "follow-test", () => {}, { onSubscribed, onFault });
  await eventually(() => subscribed === 1);

  link.moveTo(cutting.port);
  redis.stream.destroy();
  await eventually(() => cut >= 2);
  link.moveTo(port);
  await eventually(() => subscribed > 1);
  expect(cut).toBeGreaterThan(1);
  redis.disconnect();
});
