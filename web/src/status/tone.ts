import type { BotState, WorkerState } from '@/api/resources';

/** How a state feels, the same for everything: the colours follow from it. */
export type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'off';

export const workerTone: Record<WorkerState, Tone> = {
  pending: 'busy',
  provisioning: 'busy',
  running: 'ok',
  degraded: 'warn',
  unreachable: 'bad',
  stopping: 'busy',
  stopped: 'off',
  hibernated: 'off',
  failed: 'bad',
  deleting: 'busy',
};

export const botTone: Record<BotState, Tone> = {
  pending: 'busy',
  starting: 'busy',
  running: 'ok',
  unhealthy: 'warn',
  backoff: 'warn',
  crash_loop: 'bad',
  stopped: 'off',
  completed: 'off',
  moving: 'busy',
  failed: 'bad',
};

/** What is worst comes first. */
export const toneOrder: Record<Tone, number> = { bad: 0, warn: 1, busy: 2, off: 3, ok: 4 };

export const workerStates = Object.keys(workerTone) as WorkerState[];
export const botStates = Object.keys(botTone) as BotState[];
