import { type PeerCertificate, TLSSocket } from "node:tls";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { smtpOptions } from "../../../runtime/smtp-options.ts";
import type { SmtpServer } from "./session.ts";

const nameOf = (name: PeerCertificate["subject"] | undefined): string =>
  [name?.CN ?? name?.O ?? "nobody"].flat().join(", ");

/** `for mail.example (DNS:mail.example), from An Authority, valid from Nov 1 ... until Dec 1 ..., SHA-256 AB:CD...` */
const wordsOf = ({ subject, subjectaltname: names, issuer, ...certificate }: PeerCertificate): string =>
  [
    `for ${nameOf(subject)}${names === undefined ? "" : ` (${names})`}`,
    `from ${nameOf(issuer)}`,
    `valid from ${certificate.valid_from} until ${certificate.valid_to}`,
    `SHA-256 ${certificate.fingerprint256}`,
  ].join(", ");

/**
 * Looks at the certificate that a server shows, over a connection of its own on which nothing is sent but EHLO: after a handshake that
 * was refused, nobody can say which certificate it was. Undefined: it is valid, as another node's may be, or there is none to see.
 */
export const describeCertificate = (server: SmtpServer, timeoutMs: number): Promise<string | undefined> => {
  const options = smtpOptions(server, timeoutMs);
  const connection = new SMTPConnection({
    ...options,
    // It is looked at, and not trusted: neither login nor mail goes over this connection.
    tls: { ...options.tls, ...server.tlsOptions, rejectUnauthorized: false },
  });
  return new Promise((resolve) => {
    const end = (words: string | undefined) => {
      connection.close();
      resolve(words);
    };
    connection.on("error", () => end(undefined));
    connection.connect((error) => {
      const { _socket: socket } = connection;
      if (error || !(socket instanceof TLSSocket) || socket.authorized) return end(undefined);
      // None, if the connection has just been closed.
      const certificate: PeerCertificate | null = socket.getPeerCertificate();
      end(
        certificate === null ? undefined : `${socket.authorizationError}: the certificate is ${wordsOf(certificate)}`,
      );
    });
  });
};
