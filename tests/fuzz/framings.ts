import fc from "fast-check";
import { hostileBytes } from "./texts.ts";

/** What is written to a socket as it is, one byte for each character. */
export interface FuzzFraming {
  readonly kind: "framing";
  readonly bytes: string;
  /** Where it is cut into writes, so that a parser sees it in pieces. */
  readonly cuts: readonly number[];
}

const METHODS = [
  "GET",
  "POST",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "PROPFIND",
  "QUERY",
  "PRI",
  "get",
  "G T",
  "",
  "A".repeat(300),
  "GET\0",
];
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/0.9",
  "HTTP/1.2",
  "HTTP/2.0",
  "HTTP/9.9",
  "http/1.1",
  "HTTP/1",
  "HTP/1.1",
  "",
];
const TARGETS = [
  "/",
  "/livez",
  "/api/v1/user/",
  "//evil.example/",
  "*",
  "/a/../../b",
  "/%2e%2e/%2e%2e/etc/passwd",
  "\\..\\..",
  "/a b",
  "/a\0b",
  "/#fragment",
  "/?",
  "?x",
  "",
  "x",
  "http://evil.example/",
  "https://user:pass@evil.example:99999/x",
  "http://",
  "http:///",
  "file:///etc/passwd",
  "evil.example:80",
  `/${"a".repeat(9_000)}`,
];
const HOSTS = [
  "signup.example",
  "",
  " ",
  "a b",
  "user:pass@evil.example",
  "evil.example/x",
  "evil.example?x",
  "evil.example#x",
  "evil.example\\x",
  "[::1",
  "[::1]:99999",
  "x:y",
  "%zz",
  "xn--",
  "\xff\xfe",
  "a,b",
  "..",
  "0x7f.1",
  "a".repeat(3_000),
];
const LENGTHS = [
  "0",
  "2",
  "+2",
  "-2",
  "0x2",
  "2,2",
  "2 2",
  "",
  "99999999999999999999",
  "2147483648",
  "1e1",
  " 2",
  "00000000002",
];
const ENCODINGS = [
  "chunked",
  "identity",
  "chunked, identity",
  "identity, chunked",
  "gzip, chunked",
  "xchunked",
  "Chunked",
  "\x0bchunked",
  "chunked;q=1",
  "",
  '"chunked"',
];
const CHUNKS = [
  "2\r\n{}\r\n0\r\n\r\n",
  "2;a=b\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n",
  "0\r\nContent-Length: 9\r\n\r\n",
  "zz\r\n{}\r\n0\r\n\r\n",
  "-2\r\n{}\r\n0\r\n\r\n",
  "ffffffffffffffff\r\n{}\r\n",
  "2\n{}\n0\n\n",
  "2\r\n{}X\r\n0\r\n\r\n",
  "0002\r\n{}\r\n0\r\n\r\n",
  "",
];

const field = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  value.map((text) => `${name}: ${text}`);
const pick = (values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values);

const line: fc.Arbitrary<string> = fc.oneof(
  field("Host", pick(HOSTS)),
  field("Content-Length", pick(LENGTHS)),
  field("Transfer-Encoding", pick(ENCODINGS)),
  field("Content-Type", pick(["application/json", "application/x-www-form-urlencoded"])),
  field("Expect", pick(["100-continue", "200-maybe", ""])),
  field("Connection", pick(["close", "keep-alive", "Upgrade", "close, close", "Host", "TE, Transfer-Encoding"])),
  field("Upgrade", pick(["websocket", "h2c", "TLS/1.2"])),
  field("Sec-WebSocket-Key", pick(["dGhlIHNhbXBsZSBub25jZQ==", "x"])),
  field("TE", pick(["trailers", "chunked"])),
  fc
    .tuple(
      pick(["X-A", "X A", "", " ", "X-A ", "\tX", "X\0", "Content-Length ", "Transfer-Encoding\t", "H\xf6st"]),
      hostileBytes,
    )
    .map(([name, value]) => `${name}: ${value}`),
  hostileBytes.map((bytes) => ` folded ${bytes}`),
  hostileBytes,
  fc.integer({ min: 1, max: 300 }).map((count) => Array.from({ length: count }, (_, at) => `X-${at}: 1`).join("\r\n")),
  fc.integer({ min: 1_000, max: 30_000 }).map((size) => `X-Long: ${"a".repeat(size)}`),
);

const oneRequest: fc.Arbitrary<string> = fc
  .record({
    method: fc.oneof({ weight: 3, arbitrary: fc.constantFrom("GET", "POST") }, pick(METHODS)),
    target: pick(TARGETS),
    version: fc.oneof({ weight: 4, arbitrary: fc.constant("HTTP/1.1") }, pick(VERSIONS)),
    hosts: fc.oneof(
      { weight: 4, arbitrary: pick(HOSTS).map((host) => [host]) },
      fc.array(pick(HOSTS), { maxLength: 2 }),
    ),
    lines: fc.array(line, { maxLength: 4 }),
    body: fc.oneof(pick(CHUNKS), pick(["{}", ""]), hostileBytes),
    end: fc.oneof({ weight: 6, arbitrary: fc.constant("\r\n") }, pick(["\n", "\r", "\0\n"])),
  })
  .map(({ method, target, version, hosts, lines, body, end }) => {
    const head = [`${method} ${target} ${version}`, ...hosts.map((host) => `Host: ${host}`), ...lines];
    return `${head.join(end)}${end}${end}${body}`;
  });

/** One request or several in one connection, and what is no HTTP at all. */
const bytes: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: oneRequest },
  { weight: 2, arbitrary: fc.tuple(oneRequest, oneRequest).map((two) => two.join("")) },
  { weight: 1, arbitrary: fc.tuple(pick(["\r\n", "\r\n\r\n", "\n", "\0"]), oneRequest).map((two) => two.join("")) },
  { weight: 1, arbitrary: fc.tuple(oneRequest, fc.nat(400)).map(([whole, at]) => whole.slice(0, at)) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      hostileBytes,
      pick([
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "EHLO a\r\n",
        "*1\r\n$4\r\nPING\r\n",
      ]),
    ),
  },
);

export const framing: fc.Arbitrary<FuzzFraming> = fc
  .record({ bytes, cuts: fc.array(fc.nat(2_000), { maxLength: 3 }) })
  .map((each): FuzzFraming => ({ kind: "framing", ...each }));
