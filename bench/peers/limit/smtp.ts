import type { Socket } from "bun";

/** The least SMTP client: MAIL, RCPT and DATA in one segment, a body in the next, and no reply looked at beyond its first digits. */
export interface LeastClient {
  /** Resolves when the server has taken the mail. */
  send(recipient: string, body: string): Promise<void>;
}

export const connect = async (port: number): Promise<LeastClient> => {
  let text = "";
  let expected = "220 ";
  let arrived = Promise.withResolvers<void>();
  const replies = (code: string): Promise<void> => {
    expected = code;
    arrived = Promise.withResolvers<void>();
    return arrived.promise;
  };
  const greeted = arrived.promise;
  const socket: Socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, chunk) {
        text += chunk.toString("latin1");
        if (!text.endsWith("\r\n") || !text.slice(text.lastIndexOf("\r\n", text.length - 3) + 1).includes(expected))
          return;
        text = "";
        arrived.resolve();
      },
      close: () => arrived.reject(new Error("the server closed the connection")),
      error: (_, error) => arrived.reject(error),
    },
  });
  await greeted;
  socket.write("EHLO bench\r\n");
  await replies("250 ");
  return {
    async send(recipient, body) {
      socket.write(`MAIL FROM:<welcome@toblug.example>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`);
      await replies("354 ");
      socket.write(body);
      await replies("250 ");
    },
  };
};
