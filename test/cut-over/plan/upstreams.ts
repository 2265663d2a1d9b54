import { InMemoryProvider } from '@openfeature/server-sdk';
import { inject } from 'vitest';
import { CODE_PATHS } from '../../../edge/code-paths.ts';
import { startGateway } from '../../support/gateway.ts';
import { createLegacy } from '../../support/legacy.ts';
import { type Stage, setStage } from './scenes.ts';

/** The ways on which a request reaches an upstream. */
export const WAYS = ['directly', 'through the gateway'] as const;
export type Way = (typeof WAYS)[number];

/** The new upstream and the legacy one. */
export const UPSTREAM_NAMES = ['fresh', 'legacy'] as const;
export type UpstreamName = (typeof UPSTREAM_NAMES)[number];

/** Both upstreams: where they are, on each way, and where their scenes take place. */
export interface Upstreams {
  urls: Record<Way, Record<UpstreamName, string>>;
  stages: Record<UpstreamName, Stage>;
  close(): Promise<void>;
}

/** Both upstreams on the same database, and before each of them a gateway that sends everything to it. */
export async function startUpstreams(): Promise<Upstreams> {
  const legacy = await createLegacy();
  const { apiUrl } = inject('environment');
  const upstreams = { legacyUrl: legacy.url, apiUrl };
  const gateways = await Promise.all([
    startGateway({ ...upstreams, defaultUpstream: 'new', provider: allOn('new') }),
    startGateway({ ...upstreams, defaultUpstream: 'legacy', provider: allOn('legacy') }),
  ]);
  const [toNew, toLegacy] = gateways;
  const stages = { fresh: await setStage(apiUrl, legacy.url), legacy: await setStage(legacy.url, legacy.url) };
  return {
    urls: {
      directly: { fresh: apiUrl, legacy: legacy.url },
      'through the gateway': { fresh: toNew.url, legacy: toLegacy.url },
    },
    stages,
    async close() {
      await Promise.all(UPSTREAM_NAMES.map((name) => stages[name].close()));
      await Promise.all(gateways.map((gateway) => gateway.close()));
      await legacy.close();
    },
  };
}

function allOn(upstream: 'new' | 'legacy'): InMemoryProvider {
  const flag = { variants: { new: true, legacy: false }, defaultVariant: upstream, disabled: false };
  return new InMemoryProvider(Object.fromEntries(CODE_PATHS.map((codePath) => [codePath, flag])));
}
