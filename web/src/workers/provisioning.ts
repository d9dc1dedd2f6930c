import type { Worker } from '@/api/resources';

/** The steps in which a machine is made. */
export const provisioningSteps = ['image', 'network', 'volume', 'machine', 'start', 'agent'] as const;
export type ProvisioningStep = (typeof provisioningSteps)[number];

const reasons: [RegExp, ProvisioningStep][] = [
  [/image/, 'image'],
  [/network/, 'network'],
  [/volume is being made/, 'volume'],
  [/machine is being (made|changed)/, 'machine'],
  [/machine is being started|started again/, 'start'],
  [/agent/, 'agent'],
];

/** The step that a Worker is at, or undefined when its machine is not being made. */
export function provisioningStep(worker: Worker): ProvisioningStep | undefined {
  const { state, reason } = worker.status;
  if (state === 'pending') return 'image';
  if (state !== 'provisioning') return undefined;
  return reasons.find(([pattern]) => pattern.test(reason))?.[1] ?? 'machine';
}
