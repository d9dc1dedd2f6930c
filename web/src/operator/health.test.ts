import { expect, it } from 'vitest';
import { botTone, workerTone } from '@/status/tone';
import { byWorst, healthOf, tonesOf } from './health';

it.each([
  [{ workers: {}, bots: {} }, 'off', 0],
  [{ workers: { running: 2, stopped: 1 }, bots: { running: 4, completed: 1 } }, 'ok', 8],
  [{ workers: { running: 2, degraded: 1 }, bots: { backoff: 2 } }, 'warn', 3],
  [{ workers: { unreachable: 1, degraded: 5 }, bots: { crash_loop: 2 } }, 'bad', 3],
])('%j is %s', (counts, tone, count) => expect(healthOf(counts)).toEqual({ tone, count }));

it('counts a state that it does not know as nothing to worry about', () =>
  expect(tonesOf({ workers: { new_state: 3 }, bots: {} })).toEqual({ off: 3 }));

it('names what is worst first', () => {
  expect(byWorst({ running: 3, failed: 1, pending: 2 }, workerTone)).toEqual([
    ['failed', 1],
    ['pending', 2],
    ['running', 3],
  ]);
  expect(byWorst({ unknown: 1, running: 1 }, botTone)).toEqual([['running', 1]]);
});
