# syntax=docker/dockerfile:1

FROM node:24-bookworm-slim AS base
WORKDIR /app

# Native packages compile themselves where no prebuilt binary can be fetched.
FROM base AS toolchain
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./

FROM toolchain AS build
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.mjs ./scripts/
COPY src ./src
RUN npm run build

FROM toolchain AS dependencies
RUN npm ci --omit=dev

FROM base
# Every thread would get an arena of its own, and keep in it what it once needed.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=5000
# The directory is made here, so that a fresh volume belongs to the user who writes to it.
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/bundle ./bundle
COPY package.json LICENSE ./
# The user `node`, by number: some platforms make sure by that that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# main.js drains on SIGTERM itself, so it may be process 1.
CMD ["node", "--single-threaded-gc", "--no-allocation-site-pretenuring", "--initial-old-space-size=48", "--max-old-space-size=512", "--max-semi-space-size=8", "bundle/main.js"]
