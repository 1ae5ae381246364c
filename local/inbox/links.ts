import type { ParsedMail } from "mailparser";

const HREF = /\shref="(https?:\/\/[^"]+|mailto:[^"]+)"/g;
const IN_TEXT = /https?:\/\/[^\s<>"'()[\]]+/g;

const unescaped = (text: string): string => text.replaceAll("&amp;", "&");

/** Where a mail leads, each address once: those of its HTML first, then what its text has beside them. */
export const linksOf = (mail: Pick<ParsedMail, "html" | "text">): readonly string[] => {
  const inHtml = [...(mail.html || "").matchAll(HREF)].map(([, address = ""]) => unescaped(address));
  const inText = [...(mail.text ?? "").matchAll(IN_TEXT)].map(([address]) => address);
  return [...new Set([...inHtml, ...inText])];
};
