import { describe, expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { createServer, type Socket } from "node:net";
import { dnsCache } from "nodemailer/lib/shared";
import { eventually } from "../../../tests/eventually.ts";
import { startMailServer } from "../../../tests/mail-server.ts";
import { openAtSomeAddress } from "./addresses.ts";
import { createSmtpPool } from "./pool.ts";

const never = new AbortController().signal;
const aMail = { from: "a@b.example", to: "c@d.example", raw: Buffer.from("x\r\n"), beforeBody: () => true };
const refusing = new Set(["127.0.0.3"]);

/** A name for the address of a mail server, and for one where connections are accepted and not greeted, or refused. */
const aName = async (port: number, other: "127.0.0.2" | "127.0.0.3") => {
  const sockets = new Set<Socket>();
  let connections = 0;
  const silent = createServer((socket) => {
    connections += 1;
    sockets.add(socket.on("error", () => {}));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  if (refusing.has(other)) resolve();
  else silent.listen(port, other, resolve);
  await promise;
  const host = `mail-${Bun.randomUUIDv7()}.example`;
  dnsCache.set(host, { value: { addresses: ["127.0.0.1", other] } });
  return {
    host,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      dnsCache.delete(host);
      for (const socket of sockets) socket.destroy();
      silent.close();
    },
  };
};

describe("of a mail server's two addresses one greets nobody", () => {
  test("the first mails of a process are sent over the other one, long before their deadline", async () => {
    await using server = await startMailServer();
    await using name = await aName(server.port, "127.0.0.2");
    const openPool = () =>
      createSmtpPool({ server: { host: name.host, port: server.port, tls: "none" }, size: 2, sendDeadlineMs: 20_000 });
    const pools = Array.from({ length: 10 }, openPool);
    const results = await Promise.all(pools.map((pool) => pool.send(aMail, never)));
    expect(results.filter(({ kind }) => kind !== "accepted")).toEqual([]);
    expect(name.connections()).toBeGreaterThan(0);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  test("no connection fewer is granted, and the address is asked rarely", async () => {
    await using server = await startMailServer();
    await using name = await aName(server.port, "127.0.0.2");
    const pool = createSmtpPool({
      ...{ server: { host: name.host, port: server.port, tls: "none" }, size: 8, sendDeadlineMs: 20_000 },
      ...{ maxMailsPerConnection: 1, minAgeMs: 0 },
    });
    const sendSome = () => Promise.all(Array.from({ length: 24 }, () => pool.send(aMail, never)));
    await eventually(async () => {
      await sendSome();
      return name.connections() > 0;
    });
    // What is being opened is open, or has been given up.
    await eventually(async () => {
      await sendSome();
      return pool.granted() === 8 && !pool.isLimited();
    });
    const before = { all: server.connections(), silent: name.connections() };
    await eventually(async () => {
      await sendSome();
      return server.connections() - before.all > 100;
    });
    expect(name.connections() - before.silent).toBeLessThan(5);
    await pool.close();
  });
});

test("an address that refuses connections costs no mail a try, and is no limit", async () => {
  await using server = await startMailServer();
  await using name = await aName(server.port, "127.0.0.3");
  const pool = createSmtpPool({
    ...{ server: { host: name.host, port: server.port, tls: "none" }, size: 8, sendDeadlineMs: 20_000 },
    ...{ maxMailsPerConnection: 1, minAgeMs: 0 },
  });
  for (let round = 0; round < 5; round += 1) {
    const results = await Promise.all(Array.from({ length: 24 }, () => pool.send(aMail, never)));
    expect(results.filter(({ kind }) => kind !== "accepted")).toEqual([]);
  }
  expect(pool.isLimited()).toBe(false);
  await pool.close();
});

test("where a server says that there are too many connections, that is its limit, whatever another address does", async () => {
  await using server = await startMailServer({ maxClients: 3 });
  await using name = await aName(server.port, "127.0.0.2");
  const pool = createSmtpPool({
    server: { host: name.host, port: server.port, tls: "none" },
    ...{ size: 8, sendDeadlineMs: 20_000 },
  });
  await eventually(async () => {
    const results = await Promise.all(Array.from({ length: 40 }, () => pool.send(aMail, never)));
    expect(results.filter(({ kind }) => kind !== "accepted")).toEqual([]);
    return pool.isLimited() && pool.granted() < 8;
  });
  await pool.close();
});

test("who asks again and again with one signal leaves no listener on it", async () => {
  const host = `mail-${Bun.randomUUIDv7()}.example`;
  dnsCache.set(host, { value: { addresses: ["127.0.0.1"] } });
  const open = openAtSomeAddress(() => Promise.reject(new Error("refused")), { now: () => 0, random: () => 0 });
  const { signal } = new AbortController();
  for (let times = 0; times < 3; times += 1) {
    await open({ host, port: 25, tls: "none" }, 1_000, signal).catch(() => {});
  }
  expect(getEventListeners(signal, "abort")).toEqual([]);
  dnsCache.delete(host);
});
