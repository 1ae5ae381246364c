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

/** A port of 127.0.0.1 that nobody uses: the preferred one if it is free. */
export const freePort = async (preferred?: number): Promise<number> => {
  const port = (preferred === undefined ? undefined : await listen(preferred)) ?? (await listen(0));
  if (port === undefined) throw new Error("the system gave no free port on 127.0.0.1");
  return port;
};

/** Whether nobody listens on the port. */
export const isFree = async (port: number): Promise<boolean> => (await listen(port)) !== undefined;

/** Of all copies that this person runs. Not in /tmp, where somebody else may have made a folder of that name. */
const claimsFolder = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "signup-stream", "ports");

/**
 * Claims a usual port among this person's copies, for as long as this process lives: two that start in the same moment
 * would both find it free, for its part takes it only later. Where nothing can be noted, it is taken without a claim.
 */
export const claimPort = (port: number): boolean => {
  try {
    lockFolder(join(claimsFolder(), String(port)));
    return true;
  } catch (error) {
    return !(error instanceof AlreadyRunning);
  }
};

/** Gives each part its port, the same at every start if it can be had: addresses in other programs stay right. */
export interface PortBook {
  /** The port that the part had last time, else the usual one, else any; never one that was given to another part. */
  readonly portOf: (part: string, usual: number) => Promise<number>;
}

const remembered = (file: string): Record<string, unknown> => {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  } catch {
    return {};
  }
};

/** A book that is kept in a file. */
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
    // Asked for at the same time, the same one could have been found free twice.
    if (given.has(port)) return portOf(part, usual);
    given.add(port);
    book[part] = port;
    writeFileSync(file, `${JSON.stringify(book, undefined, 2)}\n`);
    return port;
  };
  return { portOf };
};
