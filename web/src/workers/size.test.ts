import { describe, expect, it } from 'vitest';
import type { Capabilities, Limits, Totals, Worker } from '@/api/resources';
import { resizeEffect } from './effect';
import { firstPossible, isolationChoices } from './isolation';
import { exceeds, presets, remaining, stopsFor, suggested } from './size';

const limits: Limits = {
  workers: 5,
  cpu_millis: 2000,
  memory_mib: 2048,
  disk_gib: 10,
  bots: 9,
  members: 3,
  isolation: ['container'],
};
const totals: Totals = { workers: 1, cpu_millis: 1500, memory_mib: 512, disk_gib: 2, bots: 0, members: 1 };

describe('size', () => {
  it('knows what the plan has left, and gives back what a resize replaces', () => {
    expect(remaining(limits, totals)).toEqual({ cpu_millis: 500, memory_mib: 1536, disk_gib: 8 });
    const size = { cpu_millis: 1000, memory_mib: 512, disk_gib: 2 };
    expect(remaining(limits, totals, size).cpu_millis).toBe(1500);
  });
  it('names every dimension that is too much, and none at the limit itself', () => {
    const left = { cpu_millis: 500, memory_mib: 512, disk_gib: 1 };
    expect(exceeds({ cpu_millis: 500, memory_mib: 512, disk_gib: 1 }, left)).toEqual([]);
    expect(exceeds({ cpu_millis: 501, memory_mib: 512, disk_gib: 2 }, left)).toEqual(['cpu_millis', 'disk_gib']);
  });
  it('suggests the standard size where it fits and the smallest where it does not', () => {
    expect(suggested(remaining(limits, totals))).toEqual(presets[1]?.size);
    expect(suggested({ cpu_millis: 300, memory_mib: 300, disk_gib: 1 })).toEqual(presets[0]?.size);
    expect(suggested({ cpu_millis: 0, memory_mib: 0, disk_gib: 0 })).toEqual(presets[0]?.size);
  });
  it('stops a slider at what is possible, with the present value among the stops', () => {
    expect(stopsFor('cpu_millis', 600, 1000)).toEqual([100, 250, 500, 600, 750, 1000]);
  });
});

describe('resizeEffect', () => {
  const size = { cpu_millis: 500, memory_mib: 512, disk_gib: 2 };
  const worker = { size, desired: 'running', status: { applied_size: size } } as Worker;
  const bigger = { ...size, memory_mib: 1024 };
  it('says beforehand what the API will answer', () => {
    expect(resizeEffect(worker, size, { live_resize: true })).toBe('none');
    expect(resizeEffect(worker, bigger, { live_resize: true })).toBe('live');
    expect(resizeEffect(worker, bigger, { live_resize: false })).toBe('restart');
    expect(resizeEffect({ ...worker, desired: 'stopped' }, bigger, { live_resize: true })).toBe('later');
    expect(resizeEffect({ ...worker, status: {} } as Worker, bigger, { live_resize: true })).toBe('later');
  });
});

describe('isolationChoices', () => {
  const engine = {
    isolation: { container: 'runc 1.1', vm: 'kata' },
    missing: { sandbox: 'no runsc' },
  } as unknown as Capabilities;
  it('says why a level can not be chosen', () => {
    const choices = isolationChoices(engine, limits);
    expect(choices.map((c) => [c.level, c.refused?.by])).toEqual([
      ['container', undefined],
      ['sandbox', 'platform'],
      ['vm', 'plan'],
    ]);
    expect(firstPossible(choices)).toBe('container');
  });
  it('offers none only where the engine says so', () => {
    const none = { isolation: { none: 'nothing' }, missing: {} } as unknown as Capabilities;
    expect(firstPossible(isolationChoices(none, limits))).toBe('none');
  });
});
