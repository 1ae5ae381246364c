import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export const root = join(import.meta.dir, "..");

/** A Markdown file of the repository. */
export interface Document {
  /** From the root. */
  readonly path: string;
  readonly text: string;
  /** Its lines outside of fenced blocks. */
  readonly lines: readonly string[];
  /** Fenced blocks, each with the language after its fence and the file that it is to be written to; '' for none. */
  readonly blocks: readonly { readonly language: string; readonly file: string; readonly text: string }[];
}

const BLOCK = /^ *```(\w*)(?: file=(\S+))?\n([\s\S]*?)^ *```$/gm;

export const readDocument = (path: string): Document => {
  const text = readFileSync(join(root, path), "utf8");
  return {
    path,
    text,
    lines: text.replace(BLOCK, "").split("\n"),
    blocks: [...text.matchAll(BLOCK)].map(([, language = "", file = "", block = ""]) => ({
      language,
      file,
      text: block,
    })),
  };
};

/** Every page for people: those at the root, and all below `docs/`. */
export const documents = (): readonly Document[] =>
  ["*.md", "docs/**/*.md"]
    .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root })])
    .sort()
    .map(readDocument);

/** Inline code of a line. */
export const inlineCode = (line: string): readonly string[] =>
  [...line.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

/** The rows below the header `| first | ... |` of a table, as cells. */
export const tableRows = ({ lines }: Document, header: string): readonly (readonly string[])[] => {
  const rows: string[][] = [];
  let isInside = false;
  for (const line of lines) {
    if (line.startsWith(header)) isInside = true;
    else if (!line.startsWith("|")) isInside = false;
    else if (isInside && !line.startsWith("| ---")) {
      rows.push(
        line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim()),
      );
    }
  }
  return rows;
};

/** `## The map, again` -> `the-map-again`, as GitHub links to headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (path: string): readonly string[] =>
  readDocument(path)
    .lines.filter((line) => line.startsWith("#"))
    .map((line) => anchorOf(line.replace(/^#+ /, "")));

/** What is wrong with the links of a document to files and headings of the repository. */
export const brokenLinks = ({ path, text }: Document): readonly string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });

/** A path with a folder in it, or a file at the root; everything else in backticks, as a media type or a CIDR range, is something else. */
const PATH = /^(?!\.local\/|application\/|[\d.]+\/\d+$)(?:[\w.-]+\/[\w./-]*|[\w-]+\.(?:json|md))$/;

/**
 * Paths in backticks that lead nowhere: neither from the root, nor from the document, nor from a folder that the same line
 * names before, as in "`database/`: `ledger/` for deliveries". What a block of the document is written to is there by then.
 */
export const missingPaths = ({ path, lines, blocks }: Document, further: readonly string[] = []): readonly string[] =>
  lines.flatMap((line) => {
    const named = inlineCode(line).filter((code) => PATH.test(code));
    const bases = ["", dirname(path), ...further, ...named.filter((code) => code.endsWith("/")).slice(0, 1)];
    const isWritten = (code: string) => blocks.some(({ file }) => file.startsWith(code));
    return named.filter((code) => !isWritten(code) && !bases.some((base) => existsSync(join(root, base, code))));
  });

/** Lines of shell blocks and of blocks without a language, and inline code, without comments. */
export const commandsIn = ({ lines, blocks }: Document): readonly string[] =>
  [
    ...blocks.filter(({ language }) => language === "" || language === "sh").flatMap(({ text }) => text.split("\n")),
    ...lines.flatMap(inlineCode),
  ].map((line) => line.replace(/\s+# .*$/, "").trim());
