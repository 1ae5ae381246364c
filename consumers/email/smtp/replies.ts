/** A reply of the server. */
export interface Reply {
  readonly code: number;
  /** Its lines, joined by line feeds; at most `MAX_TEXT` characters. */
  readonly text: string;
}

/** Of what is searched for words. */
const MAX_TEXT = 8_192;
/** Bytes after which a reply that does not end is refused. */
const MAX_REPLY = 1_048_576;
const LINE = /^(\d{3})([ -]|$)/;
/** What a server says before it ends the connection in the middle of a line is a reply if it refuses. */
const REFUSAL_CUT_OFF = /^([45]\d{2})[ -]/;

/** What came with a piece: replies that are complete now, and whether what follows them is no SMTP. */
export interface Heard {
  readonly replies: readonly Reply[];
  readonly isBroken: boolean;
}

/** Reads replies (RFC 5321 §4.2) from pieces of any size: a reply may come in several, and several replies in one. */
export class ReplyReader {
  #rest = "";
  #lines: string[] = [];
  #size = 0;

  read(chunk: Buffer): Heard {
    this.#rest += chunk.toString("latin1");
    this.#size += chunk.length;
    const replies: Reply[] = [];
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, this.#rest[end - 1] === "\r" ? end - 1 : end);
      this.#rest = this.#rest.slice(end + 1);
      if (line === "") continue;
      const [, code, mark] = LINE.exec(line) ?? [];
      if (code === undefined) return { replies, isBroken: true };
      this.#lines.push(line);
      if (mark === "-") continue;
      replies.push({ code: Number(code), text: textOf(this.#lines) });
      this.#lines = [];
      this.#size = this.#rest.length;
    }
    return { replies, isBroken: this.#size > MAX_REPLY };
  }

  /** The refusal within which the connection ended: each of its lines has the code. */
  cutOff(): Reply | undefined {
    const lines = [...this.#lines, this.#rest.trim()];
    const code = REFUSAL_CUT_OFF.exec(lines[0] ?? "")?.[1];
    return code === undefined ? undefined : { code: Number(code), text: textOf(lines) };
  }
}

const textOf = (lines: readonly string[]): string => utf8(lines.join("\n").slice(0, MAX_TEXT));

/** Bytes were kept one by one, because a character may come in two pieces. */
const utf8 = (bytes: string): string => {
  for (let index = 0; index < bytes.length; index += 1) {
    if (bytes.charCodeAt(index) > 0x7f) return Buffer.from(bytes, "latin1").toString("utf8");
  }
  return bytes;
};
