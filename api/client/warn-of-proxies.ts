import type { Logger } from "../../observability/logger.ts";
import type { Settings } from "../../settings/load.ts";

/** Warns if proxies are trusted, and nobody has said in which header they name their clients. */
export const warnOfEitherHeader = (
  {
    TRUSTED_PROXIES: proxies,
    TRUSTED_PROXY_HEADER: header,
  }: Pick<Settings, "TRUSTED_PROXIES" | "TRUSTED_PROXY_HEADER">,
  log: Logger,
): void => {
  if (proxies.length === 0 || header !== "either") return;
  log.warn(
    {},
    "TRUSTED_PROXIES is set without TRUSTED_PROXY_HEADER: name the header that your proxies add to; requests with both, of different clients, share one client's limits",
  );
};
