import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { type DnsRecords, openDns, type Records } from "./dns-records.ts";
import { checkMailDns } from "./mail-dns.ts";
import { readSpf } from "./spf.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
const ed25519 = generateKeyPairSync("ed25519").privateKey;
const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ format: "der", type: "spki" });

const SETTINGS = { MAIL_FROM: "welcome@toblug.vn", MAIL_DKIM_SELECTOR: "2026a", MAIL_DKIM_PRIVATE_KEY: rsa };
const BOTH = {
  ...SETTINGS,
  MAIL_DKIM_SECOND_SELECTOR: "2026b",
  MAIL_DKIM_SECOND_PRIVATE_KEY: ed25519,
  MAIL_BOUNCE_ADDRESS: "bounces@mail.toblug.vn",
};

type Zone = Readonly<Record<string, readonly string[]>>;

/** As all of it should be: a name, its type before it. */
const GOOD: Zone = {
  "txt toblug.vn": ["something else", "v=spf1 include:spf.relay.vn -all"],
  "txt mail.toblug.vn": ["v=spf1 ip4:192.0.2.10 -all"],
  "txt spf.relay.vn": ["v=spf1 ip4:192.0.2.0/24 ~all"],
  "txt 2026a._domainkey.toblug.vn": [`v=DKIM1; k=rsa; p=${spkiOf(rsa).toString("base64")}`],
  "txt 2026b._domainkey.toblug.vn": [`v=DKIM1; k=ed25519; p=${spkiOf(ed25519).subarray(-32).toString("base64")}`],
  "txt _dmarc.toblug.vn": ["v=DMARC1; p=reject; rua=mailto:d@toblug.vn"],
  "mx toblug.vn": ["mx.toblug.vn"],
  "mx mail.toblug.vn": ["mx.toblug.vn"],
};

const dnsOf = (zone: Zone): DnsRecords => {
  const ask = async (question: string): Promise<Records<string>> => {
    const records = zone[question];
    return records === undefined ? { kind: "none" } : { kind: "found", records };
  };
  return { txt: (name) => ask(`txt ${name}`), mx: (name) => ask(`mx ${name}`), addresses: (name) => ask(`a ${name}`) };
};

const findings = async (changes: Zone, settings: Parameters<typeof checkMailDns>[0] = SETTINGS): Promise<string> =>
  (await checkMailDns(settings, dnsOf({ ...GOOD, ...changes })))
    .filter(({ verdict }) => verdict !== "ok")
    .map(({ verdict, name, finding }) => `${verdict} ${name}: ${finding}`)
    .join("\n");

describe("the sender in DNS", () => {
  test("as it should be: ok throughout, by one key, by two, by an envelope of its own", async () => {
    expect(await findings({})).toBe("");
    expect(await findings({}, BOTH)).toBe("");
    expect((await checkMailDns(BOTH, dnsOf(GOOD))).length).toBe(7);
  });

  test.each<[string, Zone, string]>([
    ["no SPF", { "txt toblug.vn": ["x"] }, "warn SPF of toblug.vn: no record"],
    ["two of SPF", { "txt toblug.vn": ["v=spf1 mx -all", "v=spf1 a -all"] }, "has 2 records"],
    ["an include of nothing", { "txt spf.relay.vn": [] }, "spf.relay.vn is included and has no record"],
    ["everybody", { "txt toblug.vn": ["v=spf1 mx +all"] }, "it lets everybody send"],
    ["nobody", { "txt toblug.vn": ["v=spf1 -all"] }, "it names no server"],
    ["a loop", { "txt spf.relay.vn": ["v=spf1 include:toblug.vn -all"] }, "more than 10 look-ups"],
    ["no key", { "txt 2026a._domainkey.toblug.vn": [] }, "warn DKIM 2026a: no record at 2026a._domainkey.toblug.vn"],
    ["another key", { "txt 2026a._domainkey.toblug.vn": ["v=DKIM1; p=AAAA"] }, "is not the one that signs"],
    [
      "a key that is split",
      {
        "txt 2026a._domainkey.toblug.vn": [
          "v=DKIM1; k=rsa; ",
          `p=${spkiOf(rsa).toString("base64").slice(0, 99)}`,
          "AAAA",
        ],
      },
      "is not the one that signs",
    ],
    ["a revoked key", { "txt 2026a._domainkey.toblug.vn": ["v=DKIM1; p="] }, "is revoked"],
    ["no DMARC", { "txt _dmarc.toblug.vn": [] }, "warn DMARC of toblug.vn: no record"],
    ["DMARC that only watches", { "txt _dmarc.toblug.vn": ["v=DMARC1; p=none"] }, "p=none"],
    ["no MX", { "mx toblug.vn": [] }, "warn MX of toblug.vn"],
  ])("with %s: a warning", async (_, changes, expected) => {
    const empty = Object.fromEntries(Object.entries(changes).filter(([, records]) => records.length > 0));
    const zone = Object.fromEntries(Object.entries(GOOD).filter(([name]) => !(name in changes)));
    const found = (await checkMailDns(SETTINGS, dnsOf({ ...zone, ...empty })))
      .filter(({ verdict }) => verdict !== "ok")
      .map(({ verdict, name, finding }) => `${verdict} ${name}: ${finding}`);
    expect(found).toEqual([expect.stringContaining(expected)]);
  });

  test("a policy of the domain above holds, and a domain that signs for another is not aligned", async () => {
    const sub = {
      ...SETTINGS,
      MAIL_FROM: "a@news.toblug.vn",
      MAIL_DKIM_DOMAIN: "toblug.vn",
      MAIL_BOUNCE_ADDRESS: "b@toblug.vn",
    };
    expect(await findings({ "mx news.toblug.vn": ["mx.toblug.vn"] }, sub)).toBe("");
    const other = { ...sub, MAIL_DKIM_DOMAIN: "relay.vn", MAIL_BOUNCE_ADDRESS: "b@relay.vn" };
    expect(await findings({}, other)).toContain(
      "warn DMARC alignment: neither DKIM nor the envelope is of news.toblug.vn",
    );
  });

  test("counts as a verifier does", async () => {
    const record = "v=spf1 a mx include:spf.relay.vn ip4:192.0.2.1 exists:%{i}.a.vn -all";
    expect(await readSpf(dnsOf({ ...GOOD, "txt toblug.vn": [record] }), "toblug.vn")).toMatchObject({
      lookups: 4,
      faults: [],
    });
  });

  test("is not checked for a local name, nor without a sender", async () => {
    for (const settings of [{ MAIL_FROM: "welcome@toblug.example" }, { MAIL_FROM: "a@localhost" }, {}]) {
      expect((await checkMailDns(settings, dnsOf({}))).map(({ verdict }) => verdict)).toEqual(["skipped"]);
    }
  });

  test("is not judged where DNS is silent, and takes no longer than its limit", async () => {
    const why = { kind: "away", why: "ETIMEOUT" } as const;
    const silent: DnsRecords = { txt: async () => why, mx: async () => why, addresses: async () => why };
    const checks = await checkMailDns(SETTINGS, silent);
    expect(new Set(checks.map(({ verdict }) => verdict))).toEqual(new Set(["skipped", "ok"]));
    const never = { ...silent, txt: () => new Promise<never>(() => {}) };
    expect(await checkMailDns(SETTINGS, never, 10)).toMatchObject([{ verdict: "skipped" }]);
  });
});

describe("DNS", () => {
  const STRINGS = ["v=DKIM1; p=".padEnd(255, "A"), "BCDE"];
  let server: Socket;
  /** Answers a TXT question by one record of two strings; a name with `none` by NXDOMAIN. */
  beforeAll(async () => {
    server = createSocket("udp4");
    server.on("message", (query, { port, address }) => {
      const question = query.subarray(12, query.indexOf(0, 12) + 5);
      const isNone = question.includes("none");
      const data = Buffer.concat(STRINGS.map((text) => Buffer.from([text.length, ...Buffer.from(text)])));
      const size = [Math.floor(data.length / 256), data.length % 256];
      const record = Buffer.from([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 60, ...size, ...data]);
      const flags = [...query.subarray(0, 2), 0x81, isNone ? 0x83 : 0x80, 0, 1, 0, isNone ? 0 : 1, 0, 0, 0, 0];
      server.send(Buffer.concat([Buffer.from(flags), question, isNone ? Buffer.alloc(0) : record]), port, address);
    });
    const bound = Promise.withResolvers<void>();
    server.bind(0, "127.0.0.1", bound.resolve);
    await bound.promise;
  });
  afterAll(() => {
    server.close();
  });

  test("is asked over UDP: the strings of a record are one, and no record is none", async () => {
    const dns = openDns([`127.0.0.1:${server.address().port}`]);
    expect(await dns.txt("toblug.vn")).toEqual({ kind: "found", records: [STRINGS.join("")] });
    expect(await dns.txt("none.toblug.vn")).toEqual({ kind: "none" });
  });
});
