import { describe, expect, it } from 'vitest';
import type { Bot, BotState, Worker, WorkerState } from '@/api/resources';
import { attentionOf, nearLimits } from './attention';

const size = { cpu_millis: 1000, memory_mib: 1000, disk_gib: 10 };
const worker = (id: string, state: WorkerState, reason = '', since = '2026-01-01T00:00:00Z') =>
  ({ id, name: id, size, status: { state, reason, since } }) as Worker;
const bot = (id: string, state: BotState, since = '2026-01-01T00:00:00Z') =>
  ({ id, name: id, status: { state, reason: '', since } }) as Bot;

describe('attentionOf', () => {
  it('puts what has failed before what is unwell, Workers before bots, the longest first', () => {
    const found = attentionOf(
      [
        worker('w-ok', 'running'),
        worker('w-failed', 'failed'),
        worker('w-disk', 'degraded', 'its disk is nearly full (1 of 1)'),
      ],
      [
        bot('b-ok', 'running'),
        bot('b-new', 'crash_loop', '2026-01-02T00:00:00Z'),
        bot('b-old', 'crash_loop'),
        bot('b-sick', 'unhealthy'),
      ],
    );
    expect(found.map((a) => a.id)).toEqual(['w-failed', 'b-old', 'b-new', 'w-disk', 'b-sick']);
  });
  it('does not say twice that a bot is unwell', () => {
    const found = attentionOf([worker('w', 'degraded', 'bot b: ended with code 1')], [bot('b', 'crash_loop')]);
    expect(found.map((a) => a.id)).toEqual(['b']);
  });
});

describe('nearLimits', () => {
  it('finds Workers that run and use most of something', () => {
    const use = new Map([
      ['a', { cpuMillis: 0, memoryMib: 900, diskGib: 0 }],
      ['b', { cpuMillis: 990, memoryMib: 0, diskGib: 0 }],
      ['c', { cpuMillis: 100, memoryMib: 100, diskGib: 1 }],
      ['d', { cpuMillis: 1000, memoryMib: 1000, diskGib: 10 }],
    ]);
    const found = nearLimits(
      [worker('a', 'running'), worker('b', 'running'), worker('c', 'running'), worker('d', 'stopped')],
      use,
    );
    expect(found.map((n) => [n.worker.id, n.resource])).toEqual([
      ['b', 'cpu'],
      ['a', 'memory'],
    ]);
  });
});
