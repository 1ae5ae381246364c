/** Private-use characters stand for places while a message is made ready: no word of ours contains them. */
const FIRST_MARK = 0xe000;

/** A message that was filled in. */
export interface Filled {
  /** MIME, CRLF. */
  readonly raw: Buffer;
  /** The same as DATA carries it, with its end, if no line of it may begin with a dot. */
  readonly wire?: Buffer | undefined;
  /** Nobody reads it any more: another one may be written over it. */
  release(): void;
}

/** Memory for values beside the text of a template, in bytes. */
const FOR_VALUES = 2_048;
/** More are not kept: as many as wait for connections, in the largest consumers. */
const MOST_SPARE = 256;

/**
 * Memory of messages that were sent, for those that are to be: 8 kB for each mail, three times over, cost as much as all else that a
 * mail is made of, for the system gives new memory page by page.
 */
export const createSpareBuffers = (): { take(size: number): Buffer; giveBack(buffer: Buffer): void } => {
  const spare: Buffer[] = [];
  return {
    take: (size) => {
      const last = spare.pop();
      return last !== undefined && last.length >= size ? last : Buffer.allocUnsafeSlow(size + FOR_VALUES);
    },
    giveBack: (buffer) => {
      if (spare.length < MOST_SPARE) spare.push(buffer);
    },
  };
};

export type SpareBuffers = ReturnType<typeof createSpareBuffers>;

const END = Buffer.from(".\r\n");
/** Before a dot that must be doubled (RFC 5321 §4.5.2). */
const LINE_BEGINS_WITH_DOT = "\r\n.";
/** Bytes of a character in UTF-8, at most, for each of its units in UTF-16. */
const MOST_BYTES = 3;

/** Marks by which a text says where values are filled in; between them, it may be encoded. */
export const placesOf = <Place extends string>(places: readonly Place[]) => {
  const markOf = (place: Place): string => String.fromCharCode(FIRST_MARK + places.indexOf(place));
  const anyMark = new RegExp(`([${places.map(markOf).join("")}])`);
  const placeOf = (mark: string): Place | undefined => places[mark.charCodeAt(0) - FIRST_MARK];

  return {
    markOf,
    /** The text with all between its marks encoded; the pieces are joined by `between`. */
    encodedAround: (text: string, encode: (piece: string) => string, between: string): string =>
      text
        .split(anyMark)
        .map((piece) => (anyMark.test(piece) ? piece : encode(piece)))
        .join(between),
    /** Makes a message ready, whose lines end with CRLF; per mail its pieces are copied, and the values written between them. */
    templateOf: (message: string, buffers: SpareBuffers) => {
      const [head = "", ...pieces] = message.split(anyMark);
      const first = Buffer.from(head);
      const rest = pieces.flatMap((mark, index) => {
        const place = placeOf(mark);
        return place === undefined ? [] : [{ place, text: Buffer.from(pieces[index + 1] ?? "") }];
      });
      const ownSize = rest.reduce((size, { text }) => size + text.length, first.length + END.length);
      const isLineEnded = message.endsWith("\r\n");
      const hasDots =
        [message, ...pieces].some((text) => text.startsWith(".")) || message.includes(LINE_BEGINS_WITH_DOT);

      return (values: Readonly<Record<Place, string>>): Filled => {
        let size = ownSize;
        let mayHaveDots = hasDots || !isLineEnded;
        for (const { place } of rest) {
          size += values[place].length * MOST_BYTES;
          mayHaveDots ||= values[place].startsWith(".") || values[place].includes(LINE_BEGINS_WITH_DOT);
        }
        const buffer = buffers.take(size);
        let end = first.copy(buffer, 0);
        for (const { place, text } of rest) {
          end += buffer.write(values[place], end);
          end += text.copy(buffer, end);
        }
        const raw = buffer.subarray(0, end);
        const release = () => buffers.giveBack(buffer);
        if (mayHaveDots) return { raw, release };
        end += END.copy(buffer, end);
        return { raw, wire: buffer.subarray(0, end), release };
      };
    },
  };
};
