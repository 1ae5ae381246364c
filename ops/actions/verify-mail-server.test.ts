import { describe, expect, test } from "bun:test";
import { loadSettings } from "../../settings/load.ts";
import { startMailServer } from "../../tests/mail-server.ts";
import { isOutOfReach, verifyMailServer } from "./verify-mail-server.ts";

const settingsFor = (port: number, tls: string) =>
  loadSettings("ops", {
    DATABASE_URL: "postgres://x/x",
    REDIS_URL: "redis://x",
    MAIL_SERVER: "127.0.0.1",
    MAIL_PORT: String(port),
    MAIL_TLS: tls,
  });

describe("the check of the mail server", () => {
  test("logs in, and sends nothing", async () => {
    await using server = await startMailServer();
    await verifyMailServer(settingsFor(server.port, "none"));
    expect(server.connections()).toBe(1);
    expect(server.taken).toEqual([]);
  });

  test("fails without STARTTLS where it is required", async () => {
    await using server = await startMailServer();
    const fault: unknown = await verifyMailServer(settingsFor(server.port, "starttls")).catch(
      (error: unknown) => error,
    );
    expect(fault).toBeInstanceOf(Error);
    expect(isOutOfReach(fault)).toBe(false);
  });

  test("says why it could not connect", async () => {
    const server = await startMailServer();
    await server.close();
    const fault: unknown = await verifyMailServer(settingsFor(server.port, "none")).catch((error: unknown) => error);
    expect(String(fault)).toContain("ECONNREFUSED");
    expect(isOutOfReach(fault)).toBe(true);
  });
});
