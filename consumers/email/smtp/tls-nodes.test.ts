import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { eventually } from "../../../tests/eventually.ts";
import { type MailServer, startMailServer } from "../../../tests/mail-server.ts";
import { classify } from "../classify.ts";
import { createSmtpPool, type SmtpPool } from "./pool.ts";

const certificate = (name: string) => readFileSync(join(import.meta.dir, "../../../tests/certificates", name), "utf8");
const ca = certificate("authority.pem");
const never = new AbortController().signal;

const ELSEWHERE = "for mail.elsewhere.example";

type Tls = "starttls" | "implicit";

const aNode = (tls: Tls, name: "server" | "elsewhere"): Promise<MailServer> =>
  startMailServer({
    key: certificate(`${name}.key`),
    cert: certificate(`${name}.pem`),
    disabledCommands: ["AUTH"],
    secure: tls === "implicit",
  });

/** One address for several servers, by turns. */
const aBalancer = async (...nodes: readonly MailServer[]) => {
  let turn = 0;
  const balancer = createServer((client) => {
    const node = connect(nodes[turn % nodes.length]?.port ?? 0, "127.0.0.1");
    turn += 1;
    client.pipe(node).pipe(client);
    for (const [socket, other] of [
      [client, node],
      [node, client],
    ] as const) {
      socket.on("error", () => {});
      socket.on("close", () => other.destroy());
    }
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  balancer.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = balancer.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, connections: () => turn, [Symbol.asyncDispose]: async () => void balancer.close() };
};

const poolOn = (port: number, tls: Tls, more: Partial<Parameters<typeof createSmtpPool>[0]> = {}) => {
  const server = { host: "localhost", port, tls, tlsOptions: { ca } };
  return createSmtpPool({ server, size: 10, sendDeadlineMs: 60_000, ...more });
};

const send = (pool: SmtpPool) =>
  pool.send(
    { from: "a@toblug.example", to: "b@inbox.example", raw: Buffer.from("x\r\n"), beforeBody: () => true },
    never,
  );

/** Sends it again where it was cut for others that waited: on a busy machine any mail may be slow. */
const sendPatiently = async (pool: SmtpPool): Promise<Awaited<ReturnType<typeof send>>> => {
  const result = await send(pool);
  return result.kind === "failed" && result.failure.code === "ETOOSLOW" ? sendPatiently(pool) : result;
};

describe.each(["starttls", "implicit"] as const)(
  "%s, behind a balancer one of three has a wrong certificate",
  (tls) => {
    test("a mail whose first connection leads to it is taken over another, at once", async () => {
      await using good = await aNode(tls, "server");
      await using bad = await aNode(tls, "elsewhere");
      await using balancer = await aBalancer(bad, good, good);
      for (let start = 0; start < 3; start += 1) {
        const pool = poolOn(balancer.port, tls);
        expect(await send(pool)).toMatchObject({ kind: "accepted" });
        await pool.close();
      }
      expect(bad.taken).toEqual([]);
    });

    test("many at a time: all are taken, no fault of a certificate is one connection too many, and the certificate is named", async () => {
      await using good = await aNode(tls, "server");
      await using bad = await aNode(tls, "elsewhere");
      await using balancer = await aBalancer(good, bad, good);
      const told: string[] = [];
      const pool = poolOn(balancer.port, tls, { onCertificate: (words) => told.push(words) });
      const results = await Promise.all(Array.from({ length: 200 }, () => sendPatiently(pool)));
      expect(results.filter(({ kind }) => kind !== "accepted")).toEqual([]);
      // Fewer may be used all the same: where the machine is what is slow, they serve as well.
      expect(pool.places.refusedAt()).toBe(Number.NEGATIVE_INFINITY);
      await eventually(() => told.length > 0);
      expect(told).toEqual([expect.stringContaining(ELSEWHERE)]);
      expect(told[0]).toMatch(/SHA-256 [0-9A-F:]{95}/);
      await pool.close();
    });

    test("all of them: the mail fails after few connections, by no fault of its own, in words that name the certificate", async () => {
      await using bad = await aNode(tls, "elsewhere");
      await using balancer = await aBalancer(bad);
      const pool = poolOn(balancer.port, tls);
      const options = { greylistMs: 1, recipient: "b@inbox.example", domain: "inbox.example" };
      const outcomeOf = async () => {
        const result = await send(pool);
        return result.kind === "accepted" ? result : classify(result.failure, options);
      };
      expect(await outcomeOf()).toMatchObject({ kind: "unavailable", reason: "tls" });
      expect(balancer.connections()).toBeLessThan(10);
      await eventually(async () => {
        const outcome = await outcomeOf();
        return outcome.kind === "unavailable" && outcome.reply?.includes(ELSEWHERE);
      });
      await pool.close();
    });
  },
);
