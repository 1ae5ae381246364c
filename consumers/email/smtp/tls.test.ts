import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SMTPServerOptions } from "smtp-server";
import { startMailServer } from "../../../tests/mail-server.ts";
import { classify } from "../classify.ts";
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
