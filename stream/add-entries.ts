import { Command, type Redis } from "ioredis";

/** RESP: a text with the number of its bytes before it. */
const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** Names of fields are the same few for every entry. */
const names = new Map<string, string>();
const bulkName = (name: string): string => {
  const known = names.get(name);
  if (known !== undefined) return known;
  const encoded = bulk(name);
  names.set(name, encoded);
  return encoded;
};

/** XADD as it goes over the wire; `fields`: names and values. */
const encoded = (stream: string, fields: readonly string[]): string => {
  let text = `*${fields.length + 3}\r\n${bulk("xadd")}${bulk(stream)}${bulk("*")}`;
  for (let index = 0; index < fields.length; index += 2) {
    text += bulkName(fields[index] ?? "") + bulk(fields[index + 1] ?? "");
  }
  return text;
};

/** The client would copy, measure and join twenty arguments for each entry. */
class AddEntry extends Command {
  readonly #encoded: string;

  constructor(stream: string, fields: readonly string[]) {
    super("xadd", [stream], { replyEncoding: "utf8" });
    this.#encoded = encoded(stream, fields);
  }

  override toWritable(): string {
    return this.#encoded;
  }
}

/**
 * XADDs entries in their order, in one write: the client's pipeline without its layers, which took a fifth of what an entry costs. Has a
 * reply or an error for each, in its place: the id that Redis assigned.
 */
export const addEntries = (
  redis: Redis,
  stream: string,
  entries: readonly (readonly string[])[],
): Promise<readonly PromiseSettledResult<unknown>[]> => {
  let text = "";
  let isWritten = false;
  const gathering = {
    isPipeline: true,
    destination: { redis },
    write: (one: string | Buffer) => {
      // A client that keeps commands until it is connected comes back with them.
      if (isWritten) redis.stream.write(one);
      else text += one;
    },
  } as const;
  const replies = entries.map((fields) => {
    const command = new AddEntry(stream, fields);
    // It has the promise, too, and rejects at once where there is no connection.
    redis.sendCommand(command, gathering);
    return command.promise;
  });
  if (text !== "") redis.stream.write(text);
  isWritten = true;
  return Promise.allSettled(replies);
};
