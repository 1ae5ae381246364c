import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { Redis } from "ioredis";
import { openDatabase, pingDatabase } from "../database/connection.ts";
import { databaseFault } from "../database/errors.ts";
import { startChild } from "../local/child.ts";
import { type LocalServer, startPostgres } from "../local/postgres.ts";
import { startRedis } from "../local/redis.ts";
import { findRedis } from "../local/redis-program.ts";
import { openCommandConnection, untilReady } from "../stream/connection.ts";
import { eventually } from "./eventually.ts";
import { ownPort } from "./own-port.ts";
import { silentLog } from "./pipeline.ts";

const local = join(import.meta.dir, "..", ".local");
const certificates = join(import.meta.dir, "certificates");
/** The certificate is for `localhost` and 127.0.0.1. */
const OTHER_NAME = "127.0.0.2";
const authority = join(certificates, "authority.pem");

let directory: string;
let strangers: string;
let postgres: LocalServer;
let redis: LocalServer;
let tlsPort: number;

beforeAll(async () => {
  mkdirSync(local, { recursive: true });
  directory = mkdtempSync(join(local, "test-tls-"));
  strangers = join(directory, "strangers.pem");
  writeFileSync(strangers, rootCertificates[0] ?? "");
  const key = join(directory, "server.key");
  copyFileSync(join(certificates, "server.key"), key);
  writeFileSync(key, await Bun.file(key).text(), { mode: 0o600 });
  const certificate = join(directory, "server.pem");
  copyFileSync(join(certificates, "server.pem"), certificate);
  const { chmodSync } = await import("node:fs");
  chmodSync(key, 0o600);
  chmodSync(directory, 0o755);
  tlsPort = await ownPort();
  [postgres, redis] = await Promise.all([
    startPostgres({
      dataDirectory: join(directory, "postgres"),
      port: await ownPort(),
      durable: false,
      settings: [
        "listen_addresses=127.0.0.1,127.0.0.2",
        "ssl=on",
        `ssl_cert_file=${certificate}`,
        `ssl_key_file=${key}`,
      ],
    }),
    startRedis({
      program: findRedis(join(local, "redis"), () => {}),
      dataDirectory: join(directory, "redis"),
      port: await ownPort(),
      durable: false,
      flags: [
        ...["--tls-port", String(tlsPort), "--tls-auth-clients", "no", "--bind", "127.0.0.1", OTHER_NAME],
        ...["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", authority],
      ],
    }),
  ]);
});
afterAll(async () => {
  await Promise.all([postgres?.stop(), redis?.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

describe("Postgres", () => {
  const connect = async (host: string, query: string) => {
    const { port, pathname } = new URL(postgres.url);
    const db = openDatabase({
      url: `postgres://app@${host}:${port}${pathname}?${query}`,
      poolSize: 1,
      applicationName: "t",
    });
    try {
      await pingDatabase(db);
      return "connected";
    } catch (error) {
      return `${databaseFault(error).kind}: ${databaseFault(error).code}`;
    } finally {
      await db.destroy();
    }
  };

  test.each([
    ["localhost", `sslmode=verify-full&sslrootcert=${authority}`],
    ["127.0.0.1", `sslmode=verify-full&sslrootcert=${authority}`],
    ["127.0.0.1", `sslrootcert=${authority}`],
    [OTHER_NAME, `sslmode=verify-ca&sslrootcert=${authority}`],
    [OTHER_NAME, "sslmode=require"],
    ["127.0.0.1", "sslmode=disable"],
  ])("%s?%s connects", async (host, query) => {
    expect(await connect(host, query)).toBe("connected");
  });

  test("another name than the certificate's is refused, and so is a certificate of another authority", async () => {
    expect(await connect(OTHER_NAME, `sslmode=verify-full&sslrootcert=${authority}`)).toBe(
      "unavailable: ERR_TLS_CERT_ALTNAME_INVALID",
    );
    for (const query of [
      `sslmode=verify-full&sslrootcert=${strangers}`,
      "sslmode=verify-full",
      `sslmode=require&sslrootcert=${strangers}`,
    ]) {
      expect(await connect("localhost", query)).toMatch(/^unavailable: (UNABLE_TO|SELF_SIGNED)/);
    }
  });

  test("a file that is not there, or a mode that does not exist, is a bad setting", async () => {
    const missing = connect("localhost", "sslmode=verify-full&sslrootcert=/nowhere.pem");
    expect(await missing.catch((error: unknown) => error)).toMatchObject({
      name: "BadSettings",
      message: expect.stringContaining('sslrootcert "/nowhere.pem" cannot be read (ENOENT)'),
    });
    const wrong = connect("localhost", "sslmode=verify");
    expect(await wrong.catch((error: unknown) => error)).toMatchObject({ name: "BadSettings" });
  });
});

describe("Redis", () => {
  const connect = async (host: string, query: string) => {
    const told: string[] = [];
    const log = Object.assign(Object.create(silentLog), {
      warn: (fields: { readonly error?: string }) => told.push(fields.error ?? ""),
    });
    const connection = openCommandConnection({
      url: `rediss://${host}:${tlsPort}${query}`,
      name: "t",
      log,
      commandTimeoutMs: 2_000,
    });
    const first = await Promise.race([
      untilReady(connection, 60_000).then((isReady) => (isReady ? "connected" : "silent")),
      eventually(() => told[0]),
    ]);
    connection.disconnect();
    return first;
  };

  test.each(["localhost", "127.0.0.1"])("rediss://%s connects with its authority", async (host) => {
    expect(await connect(host, `?sslrootcert=${authority}`)).toBe("connected");
  });

  test("another name, and another authority, are refused; the log says why", async () => {
    expect(await connect(OTHER_NAME, `?sslrootcert=${authority}`)).toMatch(/does not match|altnames/);
    for (const query of ["", "?sslrootcert=system", `?sslrootcert=${strangers}`]) {
      expect(await connect("localhost", query)).toMatch(/certificate|issuer/);
    }
  });

  test("rediss+sentinel:// encrypts both ways, and logs in with a password at each", async () => {
    const admin = new Redis(redis.url);
    await admin.acl("SETUSER", "strict", "on", ">its secret", "~*", "+@all");
    const port = await ownPort();
    const file = join(directory, "sentinel.conf");
    const lines = [
      "port 0",
      `tls-port ${port}`,
      "bind 127.0.0.1",
      "tls-auth-clients no",
      "requirepass theirs",
      `dir "${directory}"`,
    ];
    lines.push(`tls-cert-file "${directory}/server.pem"`, `tls-key-file "${directory}/server.key"`);
    lines.push(
      `tls-ca-cert-file "${authority}"`,
      "tls-replication yes",
      `sentinel monitor main 127.0.0.1 ${tlsPort} 1`,
    );
    writeFileSync(file, `${lines.join("\n")}\n`);
    const program = findRedis(join(local, "redis"), () => {});
    const command = [program.command, file, "--sentinel"];
    const sentinel = startChild({ command, env: program.env, logFile: `${file}.log`, deathSignal: "TERM" });
    const connection = openCommandConnection({
      url: `rediss+sentinel://strict:its%20secret@127.0.0.1:${port}/main?sslrootcert=${authority}&sentinel_password=theirs`,
      name: "t",
      log: silentLog,
      commandTimeoutMs: 2_000,
    });
    expect(await untilReady(connection, 20_000)).toBe(true);
    expect(await connection.acl("WHOAMI")).toBe("strict");
    connection.disconnect();
    admin.disconnect();
    await sentinel.stop("SIGTERM", 2_000);
  });

  test("authorities for a connection that is not encrypted are a bad setting", () => {
    const open = () =>
      openCommandConnection({
        url: `redis://localhost?sslrootcert=${authority}`,
        name: "t",
        log: silentLog,
        commandTimeoutMs: 1,
      });
    expect(open).toThrow("sslrootcert needs rediss://");
  });
});
