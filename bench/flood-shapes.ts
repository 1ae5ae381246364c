import { randomHex } from "../observability/trace-context.ts";

/** A way to flood the API. */
export interface FloodShape {
  /** What is written at once; asked for anew for each request. `client` is whom it says it is from. */
  readonly request: (client: string) => string;
  /** What follows it, and how: a byte at a time; nothing, because the client leaves at once, or when the answer begins. */
  readonly after?: "drips" | "leaves" | "leaves when answered";
  /** A connection for each request. */
  readonly isNewEach?: boolean;
  /** From a network of its own each time, of as many. */
  readonly networks?: number;
}

const request =
  (line: string, headers: readonly string[] = [], body = "") =>
  (client: string) =>
    [`${line} HTTP/1.1`, "Host: 127.0.0.1", `X-Forwarded-For: ${client}`, ...headers, "", body].join("\r\n");

const json = (body: string, path = "/api/v1/user/") => {
  const headers = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
  return request(`POST ${path}`, headers, body);
};

const signup = (client: string, domain = "flood.example"): string => {
  const name = `f${randomHex(6)}`;
  return json(`{"user_name":"${name}","email":"${name}@${domain}","password":"correct horse battery staple"}`)(client);
};

const get = (path: string, ...headers: string[]): FloodShape => ({ request: request(`GET ${path}`, headers) });
const HTML = "Accept: text/html";
const NOBODYS = "/api/v1/events/01900000-0000-7000-8000-000000000000";
const DRIPPING = request("POST /api/v1/user/", ["Content-Type: application/json", "Content-Length: 1000"], "{");
const LARGE = "x".repeat(16_000);

/** What a stranger who means harm may send over many connections, by name. */
export const FLOOD_SHAPES: Readonly<Record<string, FloodShape>> = {
  signups: { request: (client) => signup(client) },
  "signups-many-domains": { request: (client) => signup(client, `d${randomHex(4)}.example`) },
  "signups-many-networks": { request: (client) => signup(client), networks: 5_000 },
  "signups-new-connections": { request: (client) => signup(client), isNewEach: true },
  "signups-left": { request: (client) => signup(client), after: "leaves" },
  "signups-repeated": {
    request: json(`{"user_name":"one","email":"one@flood.example","password":"correct horse battery staple"}`),
  },
  "signups-invalid": { request: json(`{"user_name":"","email":"${LARGE}"}`) },
  "signups-malformed": { request: json(`${"[".repeat(8_000)}`) },
  "signups-marks": { request: json(`{"user_name":"${"\u0301\u0316".repeat(3_500)}"}`) },
  "signups-large": { request: request("POST /api/v1/user/", ["Content-Length: 100000000"], LARGE), isNewEach: true },
  "signups-dripping": { request: DRIPPING, after: "drips" },
  resend: { request: (client) => json(`{"email":"f${randomHex(6)}@flood.example"}`, "/api/v1/user/resend")(client) },
  form: { request: request("POST /", ["Origin: http://elsewhere.example", "Content-Length: 0"]) },
  page: get("/", HTML),
  "page-new-connections": { ...get("/", HTML), isNewEach: true },
  "page-many-networks": { ...get("/", HTML), networks: 5_000 },
  "page-left": { ...get("/", HTML), after: "leaves" },
  "page-pipelined": { request: (client) => request("GET /", [HTML])(client).repeat(20), isNewEach: true },
  head: { request: request("HEAD /", [HTML]) },
  docs: get("/docs", HTML),
  openapi: get("/openapi.json"),
  "not-found-page": { request: (client) => request(`GET /${randomHex(8)}`, [HTML])(client) },
  "not-found": { request: (client) => request(`GET /${randomHex(8)}`)(client) },
  "long-path": { request: (client) => request(`GET /${"a/".repeat(6_000)}${randomHex(4)}`)(client) },
  livez: get("/livez"),
  readyz: get("/readyz"),
  status: get(NOBODYS),
  "status-page": get(NOBODYS.replace("/api/v1/events", "/signups"), HTML),
  stream: { ...get(`${NOBODYS}/stream`), after: "leaves when answered" },
  "wrong-token": get("/api/v1/backlog/welcome-email", "Authorization: Bearer wrong"),
  "console-page": get("/console/login", HTML),
  "confirm-page": get("/confirm?token=wrong", HTML),
  "wrong-method": { request: request("PATCH /api/v1/user", ["Content-Length: 0"]) },
  connect: { request: request("CONNECT 127.0.0.1:1"), isNewEach: true },
  upgrade: get(
    "/",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AA==",
  ),
  "no-request": { request: () => "", after: "leaves", isNewEach: true },
};

const FLOODING = "198.51.100.99";

/** Whom the nth request of a shape is from. */
export const floodingClient = ({ networks }: FloodShape, number: number): string =>
  networks === undefined ? FLOODING : `2001:db8:1:${(number % networks).toString(16)}::1`;
