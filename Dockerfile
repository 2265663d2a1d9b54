FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The install scripts only fetch a Node of their own, which the image has already.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && node dist/workers/bundle.js --out dist/workflow-bundle.js
# What is left is copied into the image: without what only development needs, and without the native code of other platforms.
RUN npm prune --omit=dev --ignore-scripts && rm -rf node_modules/node node_modules/.bin/node \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +
# Where the demo data leaves its tokens; a new volume that is mounted here takes over the owner.
RUN mkdir /tokens && chown node:node /tokens

FROM node:24-slim
ENV NODE_ENV=production WORKFLOW_BUNDLE=/app/dist/workflow-bundle.js API_HOST=0.0.0.0
# Operators and hosts are served off the public port, which alone is exposed.
ENV INTERNAL_HOST=0.0.0.0 INTERNAL_PORT=8081 HOST_API_HOST=0.0.0.0 HOST_API_PORT=8082
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=12 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.API_PORT || 8080) + '/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/api/main.js"]
