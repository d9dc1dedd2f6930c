import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ChangeKind, follow, type LiveState } from './live';

class Stream extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  close() {
    this.closed = true;
  }
  say(kind: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
  }
}

let streams: Stream[];
let states: LiveState[];
let changes: Map<ChangeKind, Set<string>>[];
let resyncs: number;
let refusals: number;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  streams = [];
  states = [];
  changes = [];
  resyncs = 0;
  refusals = 0;
  stop = follow({
    url: '/changes',
    onState: (s) => states.push(s),
    onChanges: (c) => changes.push(c),
    onResync: () => resyncs++,
    onRefused: () => refusals++,
    open: () => {
      const stream = new Stream();
      streams.push(stream);
      return stream as unknown as EventSource;
    },
  });
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

it('gathers changes for a moment and names each thing once', () => {
  streams[0]?.onopen?.();
  for (const id of ['b1', 'b1', 'b2']) streams[0]?.say('bot', { id });
  streams[0]?.say('worker', { id: 'w1' });
  expect(changes).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(changes).toEqual([
    new Map([
      ['bot', new Set(['b1', 'b2'])],
      ['worker', new Set(['w1'])],
    ]),
  ]);
});

it('reads everything again when the server says that changes were lost', () => {
  streams[0]?.onopen?.();
  streams[0]?.say('bot', { id: 'b1' });
  streams[0]?.say('resync', {});
  expect(resyncs).toBe(1);
  vi.advanceTimersByTime(200);
  expect(changes).toEqual([]);
});

it('tells of a change that follows at once on the beginning of a stream', () => {
  streams[0]?.onopen?.();
  streams[0]?.say('resync', {});
  streams[0]?.say('support', { id: 's1' });
  vi.advanceTimersByTime(200);
  expect(resyncs).toBe(1);
  expect(changes).toEqual([new Map([['support', new Set(['s1'])]])]);
});

it('connects again after growing waits, shows that it does, and reads everything once it is back', () => {
  streams[0]?.onopen?.();
  streams[0]?.onerror?.();
  expect(states.at(-1)).toBe('reconnecting');
  expect(streams[0]?.closed).toBe(true);
  vi.advanceTimersByTime(1_300);
  expect(streams).toHaveLength(2);
  streams[1]?.onerror?.();
  vi.advanceTimersByTime(1_400);
  expect(streams).toHaveLength(2);
  vi.advanceTimersByTime(1_200);
  expect(streams).toHaveLength(3);
  streams[2]?.onopen?.();
  streams[2]?.say('resync', {});
  expect(states.at(-1)).toBe('live');
  expect(resyncs).toBe(1);
});

it('tells of a stream that can not be opened, not of one that broke', () => {
  streams[0]?.onopen?.();
  streams[0]?.onerror?.();
  expect(refusals).toBe(0);
  vi.advanceTimersByTime(1_300);
  streams[1]?.onerror?.();
  expect(refusals).toBe(1);
});

it('tries at once when the browser is back on line', () => {
  streams[0]?.onopen?.();
  window.dispatchEvent(new Event('offline'));
  expect(states.at(-1)).toBe('offline');
  window.dispatchEvent(new Event('online'));
  expect(streams).toHaveLength(2);
});

it('leaves nothing behind when it is stopped', () => {
  streams[0]?.onerror?.();
  stop();
  vi.advanceTimersByTime(60_000);
  expect(streams).toHaveLength(1);
});
