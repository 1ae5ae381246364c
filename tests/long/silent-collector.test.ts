import { expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { eventually } from "../eventually.ts";
import { ownPort } from "../own-port.ts";
import { aSystem, type RunningProcess, signUpAt } from "../processes.ts";

/** Exporters of the SDK give up after 7 s (refused) to 10 s (hanging): less than that, and the bound is ours. */
const HANGS_MS = 6_500;

/** Accepts connections and never answers. */
const startMuteServer = async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    connections: () => sockets.size,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};

/** How long a process takes to end when it is asked to, in ms. */
const timeToStop = async (process: RunningProcess): Promise<number> => {
  const startedAt = performance.now();
  process.kill("SIGTERM");
  expect(await process.exited).toBe("exit code 0");
  return performance.now() - startedAt;
};

test("a collector that is down, or that hangs, costs neither a request nor more than 2 s at the end", async () => {
  using mute = await startMuteServer();
  await using system = await aSystem();
  const plain = await system.api();
  for (const port of [await ownPort(), mute.port]) {
    const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: "50" };
    const api = await system.api(settings);
    const consumer = await system.consumer(settings);
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 50 }, () => signUpAt(api)));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(HANGS_MS);
    await eventually(() => answers.every(({ eventId }) => system.mailServer.copiesOf(eventId) === 1));
    const [apiMs, consumerMs] = await Promise.all([timeToStop(api), timeToStop(consumer)]);
    expect(apiMs).toBeLessThan(HANGS_MS);
    expect(consumerMs).toBeLessThan(HANGS_MS);
  }
  expect(mute.connections()).toBeGreaterThan(0);
  expect((await signUpAt(plain)).status).toBe(201);
});
