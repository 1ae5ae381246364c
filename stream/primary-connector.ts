import { connect as connectPlain, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectEncrypted } from "node:tls";
import { AbstractConnector, type RedisOptions } from "ioredis";
import { pause } from "../runtime/loop.ts";
import type { FindPrimary } from "./find-primary.ts";

/** A connector that ends open sockets after this time, in ms; as ioredis' own. */
const DISCONNECT_TIMEOUT_MS = 2_000;
/** What ioredis does not report: it closed the connection itself. */
const CLOSED = "Connection is closed.";

/**
 * Makes the client look the primary up before each connect, and leave a server that is none. So whatever ends a connection ends at the new
 * primary: a refusal, silence, or a closed socket. One connection of ioredis to one server, for Sentinel and for Cluster: its own
 * connector for Sentinel believes the first sentinel that answers, and its client for Cluster sends a command again after a
 * failover, which would make two entries of one event.
 */
export const primaryConnector = (
  find: FindPrimary,
  tls: ConnectionOptions | undefined,
  delayMs: (attempt: number) => number,
): NonNullable<RedisOptions["Connector"]> =>
  class PrimaryConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
    }

    /** `info`: what INFO says. */
    override check(info: { readonly role?: string }): boolean {
      return info.role === undefined || info.role === "master";
    }

    // A rejection ends the client for good, so only closing it may reject.
    override async connect(report: (type: string, error: Error) => void): Promise<Socket> {
      this.connecting = true;
      for (let attempt = 1; ; attempt += 1) {
        try {
          const primary = await find();
          if (!this.connecting) throw new Error(CLOSED);
          const socket = tls === undefined ? connectPlain(primary) : connectEncrypted({ ...tls, ...primary });
          socket.once("error", (error) => {
            this.firstError = error;
          });
          this.stream = socket;
          return socket;
        } catch (error) {
          if (!this.connecting) throw new Error(CLOSED);
          report("error", error instanceof Error ? error : new Error(String(error)));
          await pause(delayMs(attempt));
          if (!this.connecting) throw new Error(CLOSED);
        }
      }
    }
  };
