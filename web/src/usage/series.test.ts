import { describe, expect, it } from 'vitest';
import type { UsagePoint } from '@/api/resources';
import { rangeOf } from './queries';
import { rowsOf } from './series';
import { niceTicks } from './ticks';

const minute = 60_000;
const start = Date.UTC(2026, 0, 1, 12);
const point = (bot: string | undefined, at: number, cpu: number): UsagePoint => ({
  worker_id: 'w',
  bot_id: bot,
  start: new Date(at).toISOString(),
  windows: 1,
  cpu_ms: cpu,
  memory_byte_seconds: 0,
  disk_byte_seconds: 0,
  bytes_in: 0,
  bytes_out: 0,
  requests: 0,
  running_ms: 0,
});

describe('rowsOf', () => {
  const range = { from: start, to: start + 4 * minute };
  const name = (p: UsagePoint) => p.bot_id ?? 'all';
  it('shows a gap as a gap, and a silent series beside another as 0', () => {
    const { rows, series } = rowsOf(
      [point('a', start, 6000), point('b', start + minute, 30_000), point('a', start + 3 * minute, 60_000)],
      range,
      minute,
      'cpu',
      name,
    );
    expect(series).toEqual(['a', 'b']);
    expect(rows.map((r) => [r.a, r.b])).toEqual([
      [0.1, 0],
      [0, 0.5],
      [null, null],
      [1, 0],
    ]);
  });
  it('adds up what falls into the same series', () => {
    const { rows } = rowsOf([point('a', start, 6000), point('b', start, 6000)], range, minute, 'cpu', () => 'others');
    expect(rows[0]?.others).toBeCloseTo(0.2);
  });
  it('leaves out what lies outside of the range', () => {
    const { rows } = rowsOf(
      [point('a', start - minute, 6000), point('a', start + 9 * minute, 6000)],
      range,
      minute,
      'cpu',
      name,
    );
    expect(rows).toHaveLength(4);
    expect(rows.every((r) => r.a === null)).toBe(true);
  });
});

it('ends a span with the step that runs now', () => {
  expect(rangeOf('hour', start + 30_000)).toEqual({ from: start - 59 * minute, to: start + minute });
  const month = rangeOf('month', start);
  expect((month.to - month.from) / (24 * 60 * minute)).toBe(30);
});

describe('niceTicks', () => {
  it.each([
    [0.9, 10],
    [0.0021, 10],
    [3.7, 10],
    [64, 10],
    [0, 10],
    [24 * 2 ** 20, 1024],
    [200 * 2 ** 10, 1024],
    [1.3 * 2 ** 30, 1024],
    [3, 1024],
  ] as const)('reaches %d with round steps in %d', (most, base) => {
    const ticks = niceTicks(most, base);
    expect(ticks[0]).toBe(0);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(most);
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(7);
    expect(new Set(ticks).size).toBe(ticks.length);
  });
});
