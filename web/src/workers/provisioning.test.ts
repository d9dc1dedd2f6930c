import { expect, it } from 'vitest';
import type { Worker } from '@/api/resources';
import { provisioningStep } from './provisioning';

const at = (state: string, reason: string) => provisioningStep({ status: { state, reason } } as Worker);

it.each([
  ['pending', 'waiting to be provisioned', 'image'],
  ['provisioning', 'its image is being fetched', 'image'],
  ['provisioning', 'its network is being made', 'network'],
  ['provisioning', 'its volume is being made', 'volume'],
  ['provisioning', 'its machine is being made', 'machine'],
  ['provisioning', 'its machine is being started', 'start'],
  ['provisioning', 'its machine ended by itself; it is being started again', 'start'],
  ['provisioning', 'its machine runs; waiting for its agent to connect', 'agent'],
  ['running', 'runs', undefined],
])('%s, %s', (state, reason, step) => {
  expect(at(state, reason)).toBe(step);
});
