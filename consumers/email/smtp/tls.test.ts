import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import type { SMTPServerOptions } from "smtp-server";
import { startMailServer } from "../../../tests/mail-server.ts";
import { classify } from "../classify.ts";
import type { SendResult } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";
import type { SmtpServer } from "./session.ts";

const certificate = (name: string) => readFileSync(join(import.meta.dir, "../../../tests/certificates", name), "utf8");
const ca = certificate("authority.pem");
const never = new AbortController().signal;

/** A server that wants a login, and notes each one it is offered. */
const aSecureServer = async (options: SMTPServerOptions) => {
  const logins: string[] = [];
  const server = await startMailServer({
    key: certificate("server.key"),
    cert: certificate("server.pem"),
    disabledCommands: [],
    onAuth: (auth, _session, done) => {
      logins.push(`${auth.username}:${auth.password}`);
      if (auth.password === "right") done(null, { user: "welcome" });
      else done(new Error("no"));
    },
    ...options,
  });
  return Object.assign(server, { logins });
};

const sendTo = async (server: Omit<SmtpServer, "host"> & { readonly host?: string }) => {
  const pool = createSmtpPool({ server: { host: "localhost", ...server }, size: 1, sendDeadlineMs: 5_000 });
  const mail = {
    from: "welcome@toblug.example",
    to: "user@inbox.example",
    raw: Buffer.from("Subject: x\r\n\r\nx\r\n"),
    beforeBody: () => true,
  };
  const result = await pool.send(mail, never);
  await pool.close();
  return result.kind === "accepted"
    ? result
    : classify(result.failure, { greylistMs: 1, recipient: "a@x", domain: "x" });
};
const credentials = { username: "welcome", password: "right" };

describe("the way to the mail server", () => {
  test("STARTTLS with login", async () => {
    await using server = await aSecureServer({});
    const result = await sendTo({ port: server.port, tls: "starttls", tlsOptions: { ca }, ...credentials });
    expect(result).toMatchObject({ kind: "accepted" });
    expect(server.logins).toEqual(["welcome:right"]);
  });

  test("TLS from the first byte, with login", async () => {
    await using server = await aSecureServer({ secure: true });
    const result = await sendTo({ port: server.port, tls: "implicit", tlsOptions: { ca }, ...credentials });
    expect(result).toMatchObject({ kind: "accepted" });
  });

  test("plain, without login", async () => {
    await using server = await startMailServer();
    expect(await sendTo({ port: server.port, tls: "none" })).toMatchObject({ kind: "accepted" });
  });

  test.each(["starttls", "implicit"] as const)(
    "%s: an untrusted certificate is refused before the login is sent",
    async (tls) => {
      await using server = await aSecureServer({ secure: tls === "implicit" });
      const result = await sendTo({ port: server.port, tls, ...credentials });
      expect(result).toMatchObject({ kind: "unavailable", reason: "tls" });
      expect(server.logins).toEqual([]);
      expect(server.taken).toEqual([]);
    },
  );

  test("a certificate of another host is refused before the login is sent", async () => {
    await using server = await aSecureServer({});
    const elsewhere = { tlsOptions: { ca, servername: "mail.example" } };
    const result = await sendTo({ port: server.port, tls: "starttls", ...elsewhere, ...credentials });
    expect(result).toMatchObject({ kind: "unavailable", reason: "tls" });
    expect(server.logins).toEqual([]);
  });

  test("a server without STARTTLS is refused before the login is sent: `starttls` is required", async () => {
    await using server = await aSecureServer({ disabledCommands: ["STARTTLS"], allowInsecureAuth: true });
    const result = await sendTo({ port: server.port, tls: "starttls", tlsOptions: { ca }, ...credentials });
    expect(result).toMatchObject({ kind: "unavailable", reason: "tls" });
    expect(server.logins).toEqual([]);
  });

  test("a wrong password is a failure of the system: it uses up no attempt", async () => {
    await using server = await aSecureServer({});
    const wrong = { ...credentials, password: "wrong" };
    const result = await sendTo({ port: server.port, tls: "starttls", tlsOptions: { ca }, ...wrong });
    expect(result).toMatchObject({ kind: "unavailable", reason: "auth" });
  });
});

/** What becomes of every third connection, once the client has asked for TLS. */
type Fault = "refused" | "reset" | "not TLS";

/** A way to a server on which every third connection fails at STARTTLS. */
const withFaults = (port: number, fault: Fault) => {
  let number = 0;
  const proxy = createServer((client) => {
    number += 1;
    const isFaulty = number % 3 === 0;
    const server = connect(port, "127.0.0.1");
    server.pipe(client);
    client.on("data", (chunk) => {
      if (!isFaulty || !chunk.toString("latin1").startsWith("STARTTLS")) return server.write(chunk);
      server.unpipe(client);
      if (fault === "refused") client.end("454 4.7.0 TLS not available due to temporary reason\r\n");
      else if (fault === "not TLS") client.end("220 ready\r\nnothing that is TLS\r\n");
      else client.write("220 ready\r\n", () => client.resetAndDestroy());
      return server.destroy();
    });
    client.on("close", () => server.destroy());
    for (const socket of [client, server]) socket.on("error", () => {});
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  proxy.listen(0, "127.0.0.1", () => {
    const address = proxy.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return { port: promise, [Symbol.asyncDispose]: async () => void proxy.close() };
};

describe("STARTTLS that fails for every third connection", () => {
  test.each(["refused", "reset", "not TLS"] as const)("%s: each mail is taken over another one", async (fault) => {
    await using server = await aSecureServer({});
    await using way = withFaults(server.port, fault);
    const { tls, tlsOptions } = { tls: "starttls", tlsOptions: { ca } } as const;
    const pool = createSmtpPool({
      server: { host: "localhost", port: await way.port, tls, tlsOptions, ...credentials },
      size: 10,
      sendDeadlineMs: 60_000,
      maxMailsPerConnection: 2,
      minAgeMs: 0,
    });
    const mail = {
      from: "welcome@toblug.example",
      to: "user@inbox.example",
      raw: Buffer.from("x\r\n"),
      beforeBody: () => true,
    };
    // On a busy machine a dialogue may be slow while others get on: it is cut, and its mail sent again, as by a consumer.
    const send = async (failures: number): Promise<SendResult> => {
      const result = await pool.send({ ...mail, failures }, never);
      return result.kind === "failed" && result.failure.code === "ETOOSLOW" ? send(failures + 1) : result;
    };
    const results = await Promise.all(Array.from({ length: 40 }, () => send(0)));
    await pool.close();
    expect(results.filter(({ kind }) => kind !== "accepted")).toEqual([]);
  });
});
