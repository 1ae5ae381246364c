import { setting, text } from "./values.ts";

/** Where processes listen. */
export const LISTENING = {
  LISTEN_HOST: setting({
    schema: text(253).regex(/^[0-9A-Za-z.:-]+$/, "expected an address or a host name"),
    example: "127.0.0.1",
    unit: "",
    about:
      "Address at which the API and the health port of a consumer listen. Default: every interface, as a pod needs it; `bun run start` sets 127.0.0.1.",
  }),
};

/** For `Bun.serve`, which listens on every interface unless it is given a host. */
export const listeningAt = ({ LISTEN_HOST }: { readonly LISTEN_HOST?: string }): { readonly hostname?: string } =>
  LISTEN_HOST === undefined ? {} : { hostname: LISTEN_HOST };
