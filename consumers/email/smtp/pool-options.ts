import type { OpenSession, SmtpServer } from "./session.ts";

export interface SmtpPoolOptions {
  readonly server: SmtpServer;
  /** Maximum connections, if the server grants them; each sends one mail at a time. */
  readonly size: number;
  /** Time limit of one mail in ms, from its connection on; then the socket is closed. Opening one has as long, and a mail waits as long for its turn. */
  readonly sendDeadlineMs: number;
  /** Mails after which a connection is closed, if it is old enough: others may wait for one. */
  readonly maxMailsPerConnection?: number;
  /** Age in ms before which a connection is not closed for its number of mails: opening one costs more than a quick mail. */
  readonly minAgeMs?: number;
  /** Idle time in ms after which a connection is closed. */
  readonly maxIdleMs?: number;
  /** Called with what is known of a certificate that was refused, at most once a minute. */
  readonly onCertificate?: (words: string) => void;
  /** Called when it is known that the server answers no commands that are sent together, although it offers PIPELINING. */
  readonly onOneByOne?: () => void;
  /** Chance, from 0 to 1. */
  readonly random?: () => number;
  /** In place of a connection to the server. */
  readonly openSession?: OpenSession;
}
