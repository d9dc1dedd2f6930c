import { describe, expect, it } from 'vitest';
import type { LogLine } from '@/api/resources';
import { LogBuffer, logText, parseLines, splitAt } from './logs';

const line = (at: number, text: string): LogLine => ({
  at: `2026-01-01T00:00:0${at}Z`,
  stream: 'stdout',
  text,
});

describe('LogBuffer', () => {
  it('keeps the last lines only', () => {
    const buffer = new LogBuffer(2);
    buffer.add([line(1, 'a'), line(2, 'b'), line(3, 'c')]);
    expect(buffer.lines.map((l) => l.text)).toEqual(['b', 'c']);
    expect(buffer.since).toBe('2026-01-01T00:00:03Z');
  });
  it('takes each line once when a stream begins anew', () => {
    const buffer = new LogBuffer(10);
    buffer.add([line(1, 'a'), line(2, 'b')]);
    buffer.add([line(1, 'a'), line(2, 'b'), line(2, 'b2'), line(3, 'c')]);
    expect(buffer.lines.map((l) => l.text)).toEqual(['a', 'b', 'b2', 'c']);
  });
  it('gives every line an id of its own', () => {
    const buffer = new LogBuffer(2);
    buffer.add([line(1, 'a'), line(2, 'b')]);
    buffer.add([line(3, 'c')]);
    expect(buffer.lines.map((l) => l.id)).toEqual([1, 2]);
  });
});

it('reads lines and leaves out what is broken', () =>
  expect(parseLines(`${JSON.stringify(line(1, 'a'))}\n{"at":\n\n`)).toEqual([line(1, 'a')]));

it('writes a line a row', () => expect(logText([line(1, 'a b')])).toBe('2026-01-01T00:00:01Z stdout a b\n'));

describe('splitAt', () => {
  it('finds every occurrence', () =>
    expect(splitAt('Error: no error', 'error')).toEqual(['', 'Error', ': no ', 'error', '']));
  it('is one part without a query', () => expect(splitAt('abc', '')).toEqual(['abc']));
});
