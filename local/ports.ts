import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { AlreadyRunning, lockFolder } from "./lock.ts";

const listen = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      const got = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(got));
    });
  });

/** A free port of 127.0.0.1: the preferred one if possible. */
export const freePort = async (preferred?: number): Promise<number> => {
  const port = (preferred === undefined ? undefined : await listen(preferred)) ?? (await listen(0));
  if (port === undefined) throw new Error("there is no free port on 127.0.0.1");
  return port;
};

/** Whether nobody listens on the port. */
export const isFree = async (port: number): Promise<boolean> => (await listen(port)) !== undefined;

/** Shared by all systems that this person runs. Not in /tmp, where another user may own a folder of that name. */
const claimsFolder = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "signup-stream", "ports");

/**
 * Claims a port among this person's systems for as long as this process lives: two that start at the same time would both
 * find it free, for the part that listens on it starts later. Where the claim cannot be written, the port is used without.
 */
export const claimPort = (port: number): boolean => {
  try {
    lockFolder(join(claimsFolder(), String(port)));
    return true;
  } catch (error) {
    return !(error instanceof AlreadyRunning);
  }
};

/** Assigns each part its port, the same at every start if possible, so that addresses in other programs stay valid. */
export interface PortBook {
  /** The port that the part had last time, else the usual one, else any free one; never one that another part has. */
  readonly portOf: (part: string, usual: number) => Promise<number>;
}

const remembered = (file: string): Record<string, unknown> => {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  } catch {
    return {};
  }
};

/** Opens the assignments that are kept in a file. */
export const openPortBook = (file: string): PortBook => {
  const book = { ...remembered(file) };
  const given = new Set<number>();
  const firstFree = async (wanted: readonly number[]): Promise<number> => {
    for (const port of wanted) if (!given.has(port) && (await isFree(port)) && claimPort(port)) return port;
    return freePort();
  };
  const portOf = async (part: string, usual: number): Promise<number> => {
    const last = book[part];
    const port = await firstFree(typeof last === "number" ? [last, usual] : [usual]);
    // Two concurrent calls may have found the same port free.
    if (given.has(port)) return portOf(part, usual);
    given.add(port);
    book[part] = port;
    writeFileSync(file, `${JSON.stringify(book, undefined, 2)}\n`);
    return port;
  };
  return { portOf };
};
