/** A reply of the server. */
export interface Reply {
  readonly code: number;
  /** All its lines, joined by line feeds. */
  readonly text: string;
}

/** Bytes after which a reply that does not end is refused. */
const MAX_REPLY = 1_048_576;
const LINE = /^(\d{3})([ -]|$)/;
/** What a server says before it ends the connection in the middle of a line is a reply if it refuses. */
const REFUSAL_CUT_OFF = /^([45]\d{2})[ -]/;

/** Reads replies (RFC 5321 §4.2) from pieces of any size: a reply may come in several, and several replies in one. */
export class ReplyReader {
  #rest = "";
  #lines: string[] = [];
  #size = 0;

  /** The replies that are complete now; undefined if this is no SMTP. */
  read(chunk: Buffer): Reply[] | undefined {
    this.#rest += chunk.toString("latin1");
    this.#size += chunk.length;
    const replies: Reply[] = [];
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, this.#rest[end - 1] === "\r" ? end - 1 : end);
      this.#rest = this.#rest.slice(end + 1);
      if (line === "") continue;
      const [, code, mark] = LINE.exec(line) ?? [];
      if (code === undefined) return undefined;
      this.#lines.push(line);
      if (mark === "-") continue;
      replies.push({ code: Number(code), text: utf8(this.#lines.join("\n")) });
      this.#lines = [];
      this.#size = this.#rest.length;
    }
    return this.#size > MAX_REPLY ? undefined : replies;
  }

  /** The refusal in whose only line the connection ended. */
  cutOff(): Reply | undefined {
    const code = this.#lines.length === 0 ? REFUSAL_CUT_OFF.exec(this.#rest)?.[1] : undefined;
    return code === undefined ? undefined : { code: Number(code), text: utf8(this.#rest.trim()) };
  }
}

/** Bytes were kept one by one, because a character may come in two pieces. */
const utf8 = (bytes: string): string => {
  for (let index = 0; index < bytes.length; index += 1) {
    if (bytes.charCodeAt(index) > 0x7f) return Buffer.from(bytes, "latin1").toString("utf8");
  }
  return bytes;
};
