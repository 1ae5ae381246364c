const DOT = 0x2e;

/** A message as DATA carries it (RFC 5321 §4.5.2): dots at the beginning of a line are doubled, and a line of one dot ends it. */
export const wireBody = (raw: Buffer): Buffer => {
  const stuffed =
    raw[0] === DOT || raw.includes("\r\n.")
      ? Buffer.from(raw.toString("latin1").replace(/(^|\r\n)\./g, "$1.."), "latin1")
      : raw;
  const isLineEnded = stuffed.length === 0 || stuffed.subarray(-2).equals(LINE_END);
  return Buffer.concat([stuffed, isLineEnded ? END : END_OF_LINE_TOO]);
};

const LINE_END = Buffer.from("\r\n");
const END = Buffer.from(".\r\n");
const END_OF_LINE_TOO = Buffer.from("\r\n.\r\n");
