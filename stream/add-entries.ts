import { Command, type Redis } from "ioredis";

/** Names of fields, and what stands between a value and the next one, are the same few for every entry: RESP, `\r\n$2\r\nid\r\n$`. */
const heads = new Map<string, string>();
const headOf = (name: string): string => {
  const known = heads.get(name);
  if (known !== undefined) return known;
  const head = `\r\n$${Buffer.byteLength(name)}\r\n${name}\r\n$`;
  heads.set(name, head);
  return head;
};

/** XADDs as they go over the wire; of each entry names and values of its fields. Joined once: each sum of texts would be one of its own. */
const encoded = (stream: string, entries: readonly (readonly string[])[]): string => {
  const key = `\r\n$4\r\nxadd\r\n$${Buffer.byteLength(stream)}\r\n${stream}\r\n$1\r\n*`;
  const parts: (string | number)[] = [];
  for (const fields of entries) {
    parts.push("*", fields.length + 3, key);
    for (let index = 0; index < fields.length; index += 2) {
      const value = fields[index + 1] ?? "";
      parts.push(headOf(fields[index] ?? ""), Buffer.byteLength(value), "\r\n", value);
    }
    parts.push("\r\n");
  }
  return parts.join("");
};

/** What became of one entry: the id that Redis assigned, or why none is known. Then the effect is unknown: the entry may exist. */
export type Added = PromiseSettledResult<string>;

/**
 * The entries of one write. The client queues it once for each of them, and settles it with each reply in turn: a command for each, with a
 * promise and its functions, costs more than the entry.
 */
class AddEntries extends Command {
  readonly #encoded: string;
  readonly #count: number;
  readonly #replies: Added[] = [];
  readonly #settle: (replies: readonly Added[]) => void;
  #isWritten = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The replies in the order of the entries. Never rejects. */
  readonly settled: Promise<readonly Added[]>;

  constructor(stream: string, entries: readonly (readonly string[])[]) {
    super("xadd", [stream], { replyEncoding: "utf8" });
    this.#encoded = encoded(stream, entries);
    this.#count = entries.length;
    const { promise, resolve } = Promise.withResolvers<readonly Added[]>();
    this.settled = promise;
    this.promise = promise;
    this.#settle = resolve;
    this.resolve = (reply) => {
      const id = this.transformReply(reply);
      if (typeof id === "string") this.#note({ status: "fulfilled", value: id });
      else this.#note({ status: "rejected", reason: new Error(`XADD to ${stream} returned no id`) });
    };
    this.reject = (reason) => this.#note({ status: "rejected", reason });
  }

  /** All entries at the first time. */
  override toWritable(): string {
    if (this.#isWritten) return "";
    this.#isWritten = true;
    return this.#encoded;
  }

  /** The client's time limit, of all entries together. */
  override setTimeout(ms: number): void {
    this.#timer ??= setTimeout(() => {
      const reason = new Error("Command timed out");
      while (this.#replies.length < this.#count) this.#note({ status: "rejected", reason });
    }, ms);
  }

  #note(added: Added): void {
    // What comes after the time limit is not listened to.
    if (this.#replies.length === this.#count) return;
    this.#replies.push(added);
    if (this.#replies.length < this.#count) return;
    clearTimeout(this.#timer);
    this.#settle(this.#replies);
  }
}

/**
 * XADDs entries in their order, in one write: the client's pipeline without its layers. Has a reply or an error for each, in its place: the
 * id that Redis assigned. The client must not be one that sends commands again after a connection was lost.
 */
export const addEntries = (
  redis: Redis,
  stream: string,
  entries: readonly (readonly string[])[],
): Promise<readonly Added[]> => {
  if (entries.length === 0) return Promise.resolve([]);
  const command = new AddEntries(stream, entries);
  const gathering = {
    isPipeline: true,
    destination: { redis },
    write: (text: string | Buffer) => {
      if (text !== "") redis.stream.write(text);
    },
  } as const;
  // Nothing runs in between: all are queued, in their order, or if the connection ends by the first none is answered.
  for (let sent = 0; sent < entries.length; sent += 1) redis.sendCommand(command, gathering);
  return command.settled;
};
