import { describe, expect, test } from 'vitest';
import { fencesOf, hostsOf } from './admitted.ts';
import { admittedSchema } from './decision.ts';

const recorded = {
  kind: 'admitted',
  operationId: 'op',
  actionId: 5,
  startedAt: '2026-11-22T00:10:00.101Z',
  address: '203.0.113.7',
  region: 'nyc3',
  generation: 2,
  attachTo: 'hv-1',
  detachFrom: ['hv-2'],
  settled: false,
  billing: [],
};

describe('an admitted operation', () => {
  test('that a version without host commands has recorded has those of its one address', () => {
    const admitted = admittedSchema.parse(recorded);
    expect(admitted.hostCommands).toEqual([
      { host: 'hv-1', change: 'attach', address: '203.0.113.7', generation: 2 },
      { host: 'hv-2', change: 'detach', address: '203.0.113.7', generation: 2 },
    ]);
    expect(hostsOf(admitted)).toEqual(['hv-1', 'hv-2']);
    expect(fencesOf(admitted)).toEqual([{ address: '203.0.113.7', actionId: 5, generation: 2 }]);
  });

  test('goes by its host commands where it has them, and names each host once', () => {
    const hostCommands = ['203.0.113.7', '203.0.113.8'].map((address) => ({
      host: 'hv-3',
      change: 'attach',
      address,
      generation: 2,
    }));
    const admitted = admittedSchema.parse({ ...recorded, hostCommands });
    expect(admitted.hostCommands).toEqual(hostCommands);
    expect(hostsOf(admitted)).toEqual(['hv-3']);
  });
});
