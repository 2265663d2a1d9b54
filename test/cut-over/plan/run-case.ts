import { expect } from 'vitest';
import type { ResourceName } from '../../../edge/code-paths.ts';
import { differencesOf } from './compare.ts';
import { exchange, tokenOf, type UpstreamAnswer } from './exchange.ts';
import { type ListedDifferences, type PlannedCase, readDifferences, readPlan } from './plan.ts';
import { makeScene, type Scene } from './scenes.ts';
import { type Upstreams, WAYS, type Way } from './upstreams.ts';

/** A case under one of its resource names, with what is listed about it. */
export interface Run {
  /** Code path and sentence. */
  title: string;
  planned: PlannedCase;
  resourceName: ResourceName;
  /** Fields in which the upstreams may, and must, differ. */
  fields: string[];
  /** What the legacy upstream is to answer. */
  legacyStatus: number;
  /** What the gateway answers itself; null when it passes the request on. */
  gatewayStatus: number | null;
}

/** All runs of the plan, by whether a scene that was used by one is still good for the next. */
export async function listRuns(): Promise<{ reading: Run[]; changing: Run[] }> {
  const [plan, differences] = await Promise.all([readPlan(), readDifferences()]);
  const runs = plan.flatMap((planned) =>
    planned.resourceNames.map((resourceName) => toRun(planned, resourceName, differences)),
  );
  const changing = runs.filter(mayChange);
  return { reading: runs.filter((run) => !changing.includes(run)), changing };
}

function toRun(planned: PlannedCase, resourceName: ResourceName, { everywhere, cases }: ListedDifferences): Run {
  const listed = cases.find((difference) => difference.case === planned.name);
  const always = planned.unseen ? [] : everywhere.flatMap((difference) => difference.fields);
  const fields = [...always, ...(listed?.fields ?? [])];
  return {
    title: `${resourceName}.${planned.operation}: ${planned.name}`,
    planned,
    resourceName,
    fields: listed?.legacy === undefined ? fields.sort() : ['status'],
    legacyStatus: listed?.legacy ?? planned.status,
    gatewayStatus: listed?.gateway ?? null,
  };
}

function mayChange({ planned: { request, times, status }, legacyStatus }: Run): boolean {
  return !/^(GET|HEAD) /.test(request) && (times > 1 || status < 300 || legacyStatus < 300);
}

/** Sends one request to both upstreams, in the same scene, on every way; fails on what is not as the plan and the list say. */
export async function runInScene(run: Run, { urls }: Upstreams, scene: Scene): Promise<void> {
  for (const way of WAYS) {
    const { fresh, legacy } = urls[way];
    const answers = [await ask(run, fresh, scene), await ask(run, legacy, scene)] as const;
    expectListed(run, answers, 'one', way);
  }
}

/** The same for a request that changes something: each upstream gets a scene of its own, which it has made itself. */
export async function runInScenes(run: Run, { urls, stages }: Upstreams): Promise<void> {
  const { scene } = run.planned;
  for (const way of WAYS) {
    const { fresh, legacy } = urls[way];
    const answers = await Promise.all([
      makeScene(stages.fresh, scene).then((made) => ask(run, fresh, made)),
      makeScene(stages.legacy, scene).then((made) => ask(run, legacy, made)),
    ]);
    expectListed(run, answers, 'two', way);
  }
}

async function ask({ planned, resourceName }: Run, url: string, scene: Scene): Promise<UpstreamAnswer> {
  return exchange(url, planned, { scene, resourceName, token: await tokenOf(scene, planned.token) });
}

function expectListed(
  { planned, resourceName, fields, legacyStatus, gatewayStatus }: Run,
  [fresh, legacy]: readonly [UpstreamAnswer, UpstreamAnswer],
  scenes: 'one' | 'two',
  way: Way,
): void {
  const what = `${way}\nnew:    ${summary(fresh)}\nlegacy: ${summary(legacy)}\n`;
  if (way === 'through the gateway' && gatewayStatus !== null) {
    expect.soft([fresh.status, legacy.status], what).toEqual([gatewayStatus, gatewayStatus]);
    expect.soft(differencesOf(fresh, legacy, scenes), what).toEqual([]);
    return;
  }
  const { status, errorId } = planned;
  const noun = resourceName === 'reserved_ips' ? 'reserved IP' : 'floating IP';
  expect.soft({ new: fresh.status, legacy: legacy.status }, what).toEqual({ new: status, legacy: legacyStatus });
  if (errorId !== null && fresh.text !== '') {
    expect.soft(JSON.parse(fresh.text), what).toEqual({
      id: errorId,
      message: planned.message?.replaceAll('{noun}', noun) ?? expect.any(String),
      request_id: '{request_id}',
    });
  }
  expect.soft(differencesOf(fresh, legacy, scenes), what).toEqual(fields);
}

function summary({ status, text, headers }: UpstreamAnswer): string {
  return `${status} ${text.slice(0, 600)} ${JSON.stringify({ type: headers['content-type'], allow: headers.allow })}`;
}
