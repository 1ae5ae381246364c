# syntax=docker/dockerfile:1
# One image for every part: the argument says which. `docker run IMAGE` is the api; `consumers/main.ts`,
# `database/migrate.ts` and `ops/main.ts` are the others. It holds no shell and no package manager.
# Digests are written by `bun k8s/pin-images.ts`, which reads them from the registry.

FROM oven/bun:1.4.5 AS dependencies
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
# What was tested is what is installed; nothing of a package runs.
RUN ["bun", "install", "--production", "--frozen-lockfile", "--ignore-scripts"]

# What api, consumers and the operators' commands are started from: there is nothing that could make it in the last stage.
FROM oven/bun:1.4.5 AS programs
WORKDIR /app
COPY package.json bun.lock bunfig.toml tsconfig.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY settings settings
COPY runtime runtime
COPY observability observability
COPY stream stream
COPY database database
COPY api api
COPY consumers consumers
COPY ops ops
RUN ["bun", "ops/prepare.ts", "ops", "api", "consumers"]

FROM oven/bun:1.4.5-distroless
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="signup-stream" \
      org.opencontainers.image.description="A signup service that never loses a welcome email" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="oven/bun:1.4.5-distroless"
WORKDIR /app
# Bun would keep what it transpiled on a disk that is read-only. The last compiler costs more than it saves (docs/decisions/0062).
ENV NODE_ENV=production BUN_RUNTIME_TRANSPILER_CACHE_PATH=0 DO_NOT_TRACK=1 BUN_JSC_useFTLJIT=0
COPY --from=dependencies /app/node_modules node_modules
COPY --from=programs /app/.local .local
COPY package.json bun.lock bunfig.toml tsconfig.json ./
COPY settings settings
COPY runtime runtime
COPY observability observability
COPY stream stream
COPY database database
COPY api api
COPY consumers consumers
COPY ops ops
COPY k8s/wait-for-schema.ts k8s/wait-for-schema.ts
# By number, so that `runAsNonRoot` can check it.
USER 65532:65532
EXPOSE 3000 8081
# Bun is process 1, and the code handles the signal itself: no shell in between swallows it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/bun"]
CMD ["api/main.ts"]
