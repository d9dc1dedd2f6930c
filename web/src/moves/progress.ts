import type { Move } from '@/api/resources';

type Step = Move['step'];

const share: Record<Step, number> = {
  requested: 0.08,
  stopping: 0.25,
  carrying: 0.5,
  switched: 0.8,
  cleaning: 0.95,
  done: 1,
  rolling_back: 0.5,
  failed: 1,
};

/** How far a move is, from 0 to 1. */
export const progressOf = (step: Step): number => share[step];

export const ended = (step: Step): boolean => step === 'done' || step === 'failed';

/** From here on the bot belongs to the target. */
export const switched = (step: Step): boolean => step === 'switched' || step === 'cleaning' || step === 'done';
