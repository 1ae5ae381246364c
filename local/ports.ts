import { createServer } from "node:net";

const listen = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      const got = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(got));
    });
  });

/** A port of 127.0.0.1 that nobody uses: the preferred one if it is free. */
export const freePort = async (preferred?: number): Promise<number> => {
  const port = (preferred === undefined ? undefined : await listen(preferred)) ?? (await listen(0));
  if (port === undefined) throw new Error("the system gave no free port on 127.0.0.1");
  return port;
};

/** Whether nobody listens on the port. */
export const isFree = async (port: number): Promise<boolean> => (await listen(port)) !== undefined;
