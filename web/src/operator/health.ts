import type { BotState, WorkerState } from '@/api/resources';
import { botTone, type Tone, toneOrder, workerTone } from '@/status/tone';

interface Counts {
  workers: Record<string, number>;
  bots: Record<string, number>;
}

/** How many things feel so, whatever their states are called. */
export function tonesOf({ workers, bots }: Counts): Partial<Record<Tone, number>> {
  const tones: Partial<Record<Tone, number>> = {};
  const add = (tone: Tone, n: number) => {
    tones[tone] = (tones[tone] ?? 0) + n;
  };
  for (const [state, n] of Object.entries(workers)) add(workerTone[state as WorkerState] ?? 'off', n);
  for (const [state, n] of Object.entries(bots)) add(botTone[state as BotState] ?? 'off', n);
  return tones;
}

/** What is worst of Workers and bots, and how many are so; off when there is nothing at all. */
export function healthOf(counts: Counts): { tone: 'bad' | 'warn' | 'ok' | 'off'; count: number } {
  const tones = tonesOf(counts);
  for (const tone of ['bad', 'warn'] as const) {
    const count = tones[tone] ?? 0;
    if (count > 0) return { tone, count };
  }
  const count = Object.values(tones).reduce((sum, n) => sum + n, 0);
  return { tone: count > 0 ? 'ok' : 'off', count };
}

/** States with how many are in them, what is worst first. */
export function byWorst<S extends string>(counts: Record<string, number>, toneOf: Record<S, Tone>): [S, number][] {
  return (Object.entries(counts) as [S, number][])
    .filter(([state]) => state in toneOf)
    .sort(([a], [b]) => toneOrder[toneOf[a]] - toneOrder[toneOf[b]] || a.localeCompare(b));
}
