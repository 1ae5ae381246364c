import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const CERTIFICATES = join(import.meta.dir, "..", "certificates");

/** Files of a server's certificate, for `localhost` and 127.0.0.1. */
export interface Certificate {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** A copy of the certificate of the tests, with the rights that Postgres asks for. */
export const copyCertificate = (directory: string): Certificate => {
  mkdirSync(directory, { recursive: true });
  const copy = (name: string): string => {
    const file = join(directory, name);
    copyFileSync(join(CERTIFICATES, name), file);
    chmodSync(file, 0o600);
    return file;
  };
  return { authority: copy("authority.pem"), certificate: copy("server.pem"), key: copy("server.key") };
};
