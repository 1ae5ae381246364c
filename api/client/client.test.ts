import { expect, test } from "bun:test";
import { connect } from "node:net";
import { networks } from "../../settings/networks.ts";
import { createClientOf, isPrivate, type ProxyHeader, siteOf } from "./client.ts";

const TRUSTED = networks.parse("10.0.0.0/8, fd00::/8 127.0.0.1");
const clients = {
  either: createClientOf(TRUSTED),
  "x-forwarded-for": createClientOf(TRUSTED, "x-forwarded-for"),
  forwarded: createClientOf(TRUSTED, "forwarded"),
} satisfies Record<ProxyHeader | "either", unknown>;
const from = (
  connection: string | undefined,
  forwardedFor?: string,
  forwarded?: string,
  header: keyof typeof clients = "either",
) => {
  const headers = new Headers();
  if (forwardedFor !== undefined) headers.set("X-Forwarded-For", forwardedFor);
  if (forwarded !== undefined) headers.set("Forwarded", forwarded);
  return clients[header]({ connection, headers });
};

/** Whoever contradicts a proxy: no private network, so that every limit counts it. */
const CONTRADICTED = "contradicted";
const PROXIES_WITHOUT_END = Array.from({ length: 10_000 }, () => "for=10.0.0.2").join(",");

test.each([
  ["no proxy", ["192.0.2.1"], "192.0.2.1"],
  ["a claim of a client that is no trusted proxy", ["192.0.2.1", "198.51.100.7"], "192.0.2.1"],
  ["one proxy", ["10.0.0.1", "198.51.100.7"], "198.51.100.7"],
  ["two proxies, and a claim before them", ["10.0.0.1", "203.0.113.9, 198.51.100.7, 10.9.9.9"], "198.51.100.7"],
  ["an IPv4 address in an IPv6 one", ["::ffff:10.0.0.1", "::ffff:198.51.100.7"], "198.51.100.7"],
  ["a port", ["127.0.0.1", "198.51.100.7:4711"], "198.51.100.7"],
  ["IPv6 is its /64", ["fd00::1", "2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"],
  ["IPv6 in brackets", ["10.0.0.1", "[2001:db8:1:2:ffff::1]:4711"], "2001:db8:1:2::/64"],
  ["a proxy that says nothing", ["10.0.0.1"], "10.0.0.1"],
  ["a proxy that says what is no address", ["10.0.0.1", "unknown, 10.0.0.2"], "10.0.0.2"],
  ["two addresses in one quoted text", ["10.0.0.1", '"198.51.100.7, 203.0.113.1'], "203.0.113.1"],
  ["a chain of nothing but proxies", ["10.0.0.1", "10.0.0.3, 10.0.0.2"], "10.0.0.3"],
  ["Forwarded alone", ["10.0.0.1", undefined, "for=198.51.100.7"], "198.51.100.7"],
  ["two headers that name one client", ["10.0.0.1", "203.0.113.9, 198.51.100.7", "for=198.51.100.7"], "198.51.100.7"],
  [
    "Forwarded of another proxy of ours alone, which names nobody",
    ["10.0.0.1", "198.51.100.7", "for=10.0.0.2"],
    "198.51.100.7",
  ],
  ["two headers that do not: one was made up", ["10.0.0.1", "198.51.100.7", "for=203.0.113.1"], CONTRADICTED],
  ["the made-up one on a private network", ["10.0.0.1", "198.51.100.7", "for=192.168.1.1"], CONTRADICTED],
  ["the made-up one names nobody", ["10.0.0.1", "198.51.100.7", "for=unknown"], CONTRADICTED],
  ["the made-up one hides somebody", ["10.0.0.1", "198.51.100.7", "for=_secret"], CONTRADICTED],
  ["the other one was emptied by the proxy", ["10.0.0.1", "198.51.100.7", " "], "198.51.100.7"],
  ["the made-up one is broken", ["10.0.0.1", "198.51.100.7", 'for="[2001:db8::1'], CONTRADICTED],
  ["the made-up one is the other header", ["10.0.0.1", "192.168.1.1, 10.0.0.9", "for=198.51.100.7"], CONTRADICTED],
  ["a claim of a client that is no proxy, in both headers", ["192.0.2.1", "198.51.100.7", "for=10.0.0.1"], "192.0.2.1"],
  ["more proxies in a row than anybody has", ["10.0.0.1", "198.51.100.7", PROXIES_WITHOUT_END], CONTRADICTED],
  [
    "a claim in the header that the proxies pass on",
    ["10.0.0.1", "198.51.100.7", "for=203.0.113.1", "x-forwarded-for"],
    "198.51.100.7",
  ],
  [
    "Forwarded, and a claim in the other header",
    ["10.0.0.1", "192.0.2.1", 'for=203.0.113.1, For="[2001:db8::9]:1"; proto=https', "forwarded"],
    "2001:db8::/64",
  ],
  ["Forwarded with a name", ["10.0.0.1", "192.0.2.1", "by=10.0.0.1;for=_hidden", "forwarded"], "10.0.0.1"],
  ["a connection that is gone", [undefined, "198.51.100.7"], "unknown"],
] as const)("%s", (_, [connection, forwardedFor, forwarded, header], client) => {
  // The second time from memory.
  for (let time = 0; time < 2; time += 1) expect(from(connection, forwardedFor, forwarded, header)).toBe(client);
});

test("who contradicts a proxy is on no private network, whatever it says", () => {
  for (const forged of ["for=203.0.113.1", "for=192.168.1.1", "for=unknown", "x", 'for="', "for=[::1]"]) {
    const client = from("10.0.0.1", "198.51.100.7", forged);
    expect([forged, isPrivate(client), siteOf(client)]).toEqual([forged, false, client]);
  }
});

test("only the end of a long header is read, and nothing long is remembered", () => {
  const hops = "x,".repeat(8_000);
  expect(from("10.0.0.1", `${hops}198.51.100.7`)).toBe("198.51.100.7");
  expect(from("10.0.0.1", undefined, `for=[fe80::1%${"a".repeat(16_000)}]`)).toBe("10.0.0.1");
  expect(from("10.0.0.1", `${"0".repeat(16_000)}177.0.0.1`)).toBe("10.0.0.1");
});

test("a header in several lines is one, in their order, in any case of letters", async () => {
  await using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => new Response(clients.either({ connection: "10.0.0.1", headers: request.headers })),
  });
  const ask = async (...lines: readonly string[]) => {
    const answered = Promise.withResolvers<string>();
    let answer = "";
    const socket = connect(server.port ?? 0, "127.0.0.1", () => {
      socket.write(["GET / HTTP/1.1", "Host: x", "Connection: close", ...lines, "", ""].join("\r\n"));
    });
    socket.on("data", (bytes) => (answer += bytes.toString()));
    socket.on("close", () => answered.resolve(answer.split("\r\n\r\n")[1] ?? ""));
    socket.on("error", answered.reject);
    return await answered.promise;
  };
  // What the client has sent comes first: each proxy adds a line below, or to the end of the last one.
  const forged = "X-Forwarded-For: 192.168.1.1";
  expect(await ask(forged, "x-forwarded-for: 198.51.100.7")).toBe("198.51.100.7");
  expect(await ask(forged, "X-FORWARDED-FOR: 198.51.100.7", "x-forwarded-for:10.0.0.2")).toBe("198.51.100.7");
  expect(await ask("Forwarded: for=192.168.1.1", 'forwarded: For="[2001:db8::9]:1"')).toBe("2001:db8::/64");
  expect(await ask(forged, "x-forwarded-for: 198.51.100.7", "Forwarded: for=192.168.1.1")).toBe(CONTRADICTED);
});

test("a faulty network is named", () => {
  expect(networks.safeParse("10.0.0.0/8, 10.0.0/8x, ::1").error?.issues[0]?.message).toContain('"10.0.0/8x"');
  expect(networks.parse("")).toEqual([]);
});

test.each([
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["10.1.2.3", true],
  ["172.31.0.1", true],
  ["192.168.0.1", true],
  ["fd12:3456::1", true],
  ["fe80::1", true],
  ["12.70.0.1", false],
  ["100.0.0.1", false],
  ["172.32.0.1", false],
  ["192.0.2.1", false],
  ["2001:db8::1", false],
  [undefined, false],
])("%p is on a private network: %p", (connection, expected) => {
  expect(isPrivate(createClientOf([])({ connection, headers: new Headers() }))).toBe(expected);
});
