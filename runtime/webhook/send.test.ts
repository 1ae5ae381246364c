import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { eventually } from "../../tests/eventually.ts";
import { ownPort } from "../../tests/own-port.ts";
import { aRawServer, aReceiver } from "../../tests/webhook-receiver.ts";
import { resolveHost } from "./resolve.ts";
import { type OutgoingWebhook, sendWebhook, type WebhookTarget } from "./send.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEXT_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TRACEPARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

const webhook: OutgoingWebhook = {
  id: "01a2109c-053e-74f1-9982-4e9657eb2cfe",
  contentType: "application/json",
  body: '{"type":"user.signed_up.v1","data":{"user_name":"Ánh"}}',
  trace: { traceparent: TRACEPARENT },
};

const send = (parts: Partial<WebhookTarget> & Pick<WebhookTarget, "url">, commit = () => true) =>
  sendWebhook({ secrets: [SECRET], allowPrivate: true, timeoutMs: 5_000, resolve: resolveHost, ...parts }, webhook, {
    signal: new AbortController().signal,
    commit,
  });

/** Writes the beginning, then a bit more every 20 ms. */
const drip = (beginning: string, more: string) => (socket: Socket) => {
  socket.write(beginning);
  const timer = setInterval(() => socket.write(more), 20);
  socket.on("close", () => clearInterval(timer));
};

/** Runs the work, and the time that it took in ms. */
const timed = async <Result>(work: () => Promise<Result>): Promise<readonly [Result, number]> => {
  const startedAt = performance.now();
  return [await work(), performance.now() - startedAt];
};

describe("a webhook", () => {
  test("is signed by each secret, and carries the event's id and trace", async () => {
    await using receiver = await aReceiver();
    const result = await send({ url: receiver.url, secrets: [NEXT_SECRET, SECRET] });
    expect(result).toEqual({ kind: "answered", status: 204 });
    const [received] = receiver.received;
    expect(received?.headers).toMatchObject({
      "webhook-id": webhook.id,
      "content-type": "application/json",
      traceparent: TRACEPARENT,
    });
    for (const secret of [SECRET, NEXT_SECRET]) {
      expect(new Webhook(secret).verify(received?.body ?? "", received?.headers ?? {})).toEqual(
        JSON.parse(webhook.body),
      );
    }
    const stranger = new Webhook(`whsec_${Buffer.alloc(24, 1).toString("base64")}`);
    expect(() => stranger.verify(received?.body ?? "", received?.headers ?? {})).toThrow();
  });

  test("is not sent if its lease is lost", async () => {
    await using receiver = await aReceiver();
    expect(await send({ url: receiver.url }, () => false)).toEqual({ kind: "stopped" });
    expect(receiver.received).toEqual([]);
  });

  test("is answered with Retry-After", async () => {
    await using receiver = await aReceiver((response) => response.writeHead(429, { "retry-after": "120" }).end());
    expect(await send({ url: receiver.url })).toEqual({ kind: "answered", status: 429, retryAfterMs: 120_000 });
  });

  test("follows no redirect", async () => {
    await using inside = await aReceiver();
    await using receiver = await aReceiver((response) => response.writeHead(307, { location: inside.url }).end());
    expect(await send({ url: receiver.url })).toEqual({ kind: "answered", status: 307 });
    expect(inside.received).toEqual([]);
  });
});

describe("the time limit of a webhook", () => {
  test.each([
    ["says nothing", () => {}],
    ["drips its head", drip("HTTP/1.1 200 OK\r\n", "X-A: b\r\n")],
  ])("holds for a receiver that %s", async (_, talk) => {
    await using server = await aRawServer(talk);
    const [result, ms] = await timed(() => send({ url: server.url, timeoutMs: 300 }));
    expect(result).toEqual({ kind: "failed", reason: "timeout" });
    expect(ms).toBeLessThan(10_000);
  });

  test("holds for a receiver that drips its body: its status counts", async () => {
    await using server = await aRawServer(drip("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", "."));
    const [result, ms] = await timed(() => send({ url: server.url, timeoutMs: 300 }));
    expect(result).toEqual({ kind: "answered", status: 200 });
    expect(ms).toBeLessThan(10_000);
  });

  test("holds for a resolver that never answers", async () => {
    const resolve = () => new Promise<never>(() => {});
    const result = await send({ url: "https://hook.example", timeoutMs: 100, resolve });
    expect(result).toEqual({ kind: "failed", reason: "timeout" });
  });
});

describe("of an answer", () => {
  test("no more than a bound is read", async () => {
    let sent = 0;
    let isClosed = false;
    const chunk = Buffer.alloc(8_192, ".");
    await using server = await aRawServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n");
      const more = (): void => {
        while (!socket.destroyed) {
          sent += chunk.length;
          if (!socket.write(chunk)) break;
        }
      };
      socket.on("drain", more);
      socket.on("close", () => {
        isClosed = true;
      });
      socket.once("data", more);
    });
    const [result, ms] = await timed(() => send({ url: server.url }));
    expect(result).toEqual({ kind: "answered", status: 200 });
    expect(ms).toBeLessThan(10_000);
    await eventually(() => isClosed);
    expect(sent).toBeLessThan(50_000_000);
  });

  test("an endless head is refused", async () => {
    await using server = await aRawServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const more = (): void => {
        while (!socket.destroyed && socket.write(`X-A: ${".".repeat(4_096)}\r\n`));
      };
      socket.on("drain", more);
      socket.once("data", more);
    });
    expect((await send({ url: server.url })).kind).toBe("failed");
  });

  test("what is not HTTP is a failure", async () => {
    await using server = await aRawServer((socket) => socket.end("220 smtp.example ESMTP\r\n"));
    expect(await send({ url: server.url })).toEqual({ kind: "failed", reason: "malformed_answer" });
  });

  test("nothing: the connection is lost", async () => {
    await using server = await aRawServer((socket) => socket.once("data", () => socket.destroy()));
    expect(await send({ url: server.url })).toEqual({ kind: "failed", reason: "connection_lost" });
  });
});

describe("an address", () => {
  test.each([
    "http://127.0.0.1:1/",
    "http://[::1]:1/",
    "http://[::ffff:127.0.0.1]:1/",
    "http://[::ffff:a9fe:a9fe]:1/",
    "http://2130706433:1/",
    "http://0x7f.1:1/",
    "http://0177.0.0.1:1/",
    "http://localhost:1/",
    "http://169.254.169.254/latest/meta-data/",
  ])("that is private is refused: %s", async (url) => {
    expect(await send({ url, allowPrivate: false })).toEqual({ kind: "failed", reason: "address_refused" });
  });

  test("that is private is refused among public ones", async () => {
    const resolve = async () => ["8.8.8.8", "10.0.0.1"];
    const result = await send({ url: "http://hook.example", allowPrivate: false, resolve });
    expect(result).toEqual({ kind: "failed", reason: "address_refused" });
  });

  test("is resolved once, and connected to as it was checked", async () => {
    await using receiver = await aReceiver();
    const { port } = new URL(receiver.url);
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return answers.shift() ?? [];
    };
    expect(await send({ url: `http://hook.invalid:${port}/`, resolve })).toEqual({ kind: "answered", status: 204 });
    expect(asked).toEqual(["hook.invalid"]);
    expect(receiver.received[0]?.headers["host"]).toBe(`hook.invalid:${port}`);
  });

  test("that is public when it is checked is the one that is connected to, although its name is private by then", async () => {
    await using receiver = await aReceiver();
    const { port } = new URL(receiver.url);
    let answers = 0;
    // From the documentation's range, which nobody answers at; it counts as allowed here, as a public one would.
    const resolve = async () => (answers++ === 0 ? ["192.0.2.1"] : ["127.0.0.1"]);
    const result = await send({ url: `http://localhost:${port}/`, resolve, timeoutMs: 300 });
    expect(result.kind).toBe("failed");
    expect(receiver.received).toEqual([]);
  });

  test("that cannot be reached is followed by the next one", async () => {
    await using receiver = await aReceiver();
    const { port } = new URL(receiver.url);
    const resolve = async () => ["127.0.0.9", "127.0.0.1"];
    expect(await send({ url: `http://hook.invalid:${port}/`, resolve })).toEqual({ kind: "answered", status: 204 });
  });

  test("that does not exist, or where nobody listens, is a failure", async () => {
    const resolve = () => Promise.reject(new Error("ENOTFOUND"));
    expect(await send({ url: "http://hook.invalid", resolve })).toEqual({ kind: "failed", reason: "host_not_found" });
    const url = `http://127.0.0.1:${await ownPort()}/`;
    expect(await send({ url })).toEqual({ kind: "failed", reason: "connection_refused" });
  });
});

describe("over TLS", () => {
  const certificate = (name: string) => readFileSync(join(import.meta.dir, "../../tests/certificates", name), "utf8");

  test("the certificate must be the host's, and from a known authority", async () => {
    const files = { cert: certificate("server.pem"), key: certificate("server.key") };
    const server = createServer(files, (request, response) => {
      request.resume();
      response.writeHead(200).end();
    });
    const port = await ownPort();
    await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
    const resolve = async () => ["127.0.0.1"];
    const ca = certificate("authority.pem");
    try {
      const right = await send({ url: `https://localhost:${port}/`, resolve, ca });
      expect(right).toEqual({ kind: "answered", status: 200 });
      const tlsFailed = { kind: "failed", reason: "tls_failed" } as const;
      expect(await send({ url: `https://hook.example:${port}/`, resolve, ca })).toEqual(tlsFailed);
      expect(await send({ url: `https://localhost:${port}/`, resolve })).toEqual(tlsFailed);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
