# The ingress as an image: docker build -t sluice .
FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY bin bin
COPY scripts scripts
RUN npx tsc -p tsconfig.build.json && npm run bundle && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY bin bin
# No name is needed for it; nothing below / is written.
USER 65532:65532
EXPOSE 8080/tcp 9998/udp 9999/tcp
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "bin/sluice.js", "ingress"]
