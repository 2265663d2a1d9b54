import { describe, expect, test } from 'vitest';
import { acknowledgmentActivityId, addressWorkflowId, reserveWorkflowId } from './names.ts';

const command = { operationId: 'op', host: 'hv-1', change: 'attach', address: '203.0.113.7' } as const;

describe('the id of the activity that waits for a host', () => {
  test('is without the address where the workflow is of that address, as in histories of one address', () => {
    const workflowId = addressWorkflowId('203.0.113.7');
    expect(acknowledgmentActivityId({ ...command, workflowId })).toBe('attach/hv-1/op');
    expect(acknowledgmentActivityId({ ...command, workflowId: reserveWorkflowId('op') })).toBe('attach/hv-1/op');
  });

  test('is another one for each further address of the operation on the same host', () => {
    const workflowId = addressWorkflowId('203.0.113.7');
    const others = ['203.0.113.8', '203.0.113.9'].map((address) =>
      acknowledgmentActivityId({ ...command, workflowId, address }),
    );
    expect(others).toEqual(['attach/hv-1/op/203.0.113.8', 'attach/hv-1/op/203.0.113.9']);
  });
});
