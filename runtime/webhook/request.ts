import { type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestEncrypted } from "node:https";
import { isIPv6, type LookupFunction } from "node:net";

/** A request to one address. */
export interface AddressedRequest {
  readonly url: URL;
  /** Connected to instead of what the URL's host resolves to. The certificate is checked against the host. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Certificate authorities in place of the system's. */
  readonly ca?: string;
}

/** The head of an answer. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/** What of an answer's body is read before the connection is closed: nothing of it is used. */
const MAX_ANSWER_BYTES = 16_384;
const MAX_HEAD_BYTES = 16_384;

/** Answers every look-up with the address that was checked. */
const pinnedTo =
  (address: string): LookupFunction =>
  (_, { all }, callback) => {
    const family = isIPv6(address) ? 6 : 4;
    if (all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };

/** Resolves when the body has ended, was cut off, or has reached its bound. */
const drained = (response: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) response.destroy();
    });
    response.on("error", () => {});
    response.on("close", resolve);
  });

/**
 * Sends a POST over a connection of its own, and reads the status of the answer. Redirects are not followed; the body of the
 * answer is read up to 16 KiB and thrown away. Nothing outlasts `signal`: once the status is known, it only ends the body.
 *
 * @throws the error of the connection, or an AbortError
 */
export const postTo = ({ url, address, headers, body, ca }: AddressedRequest, signal: AbortSignal): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? requestEncrypted : requestPlain;
    const request: ClientRequest = send(url, {
      method: "POST",
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      agent: false,
      lookup: pinnedTo(address),
      maxHeaderSize: MAX_HEAD_BYTES,
      signal,
      ...(ca === undefined ? {} : { ca }),
    });
    let answer: Answer | undefined;
    // Once the status is known, it does not matter how the connection ends.
    request.on("error", (error) => (answer === undefined ? reject(error) : resolve(answer)));
    request.on("response", (response) => {
      const known = { status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] };
      answer = known;
      void drained(response).then(() => {
        request.destroy();
        resolve(known);
      });
    });
    request.end(body);
  });
